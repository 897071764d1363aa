// `npm run bench -- [policy|events|store|qubesd|storage]`: what is measured, each in a module of its own; without a word all of it.
import process from "node:process";

const MEASURED: { readonly [name: string]: () => Promise<unknown> } = {
	policy: () => import("./policy.ts"),
	events: () => import("./events.ts"),
	store: () => import("./store.ts"),
	qubesd: () => import("./qubesd.ts"),
	storage: () => import("./storage.ts"),
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => MEASURED[name] === undefined);
if (unknown !== undefined) {
	console.error(`bench: no "${unknown}": want ${Object.keys(MEASURED).join(", ")}`);
	process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : Object.keys(MEASURED)) await MEASURED[name]?.();
