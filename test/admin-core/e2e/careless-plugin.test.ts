// A plugin that forgets a promise, in a running qubesd: docs/plugins.md.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { House } from "./house.ts";

const MANIFEST = {
	name: "careless",
	api: 1,
	module: "./index.cjs",
	handlers: [{ patterns: ["domain-feature-set:x"], on: "Qube", handler: "forget" }],
};
const MODULE = 'exports.handlers = { forget() { void Promise.reject(new Error("forgotten")); } };';

test("what fails and nobody waits for is logged, and qubesd goes on", async (t) => {
	const plugins = fs.mkdtempSync("/tmp/careless-");
	t.teardown(() => fs.rmSync(plugins, { recursive: true }));
	fs.mkdirSync(path.join(plugins, "careless"));
	fs.writeFileSync(path.join(plugins, "careless/manifest.json"), JSON.stringify(MANIFEST));
	fs.writeFileSync(path.join(plugins, "careless/index.cjs"), MODULE);
	const house = await House.open(t, { options: ["--plugins", plugins] });
	t.is(await house.call("admin.vm.feature.Set+x dom0 name work\x001"), "0\0");
	while (!house.logged.includes("nobody waited")) await sleep(10);
	t.regex(house.logged, /nobody waited for what failed: Error: forgotten/);
	t.is(await house.call("admin.vm.feature.Get+x dom0 name work\0"), "0\x001");
});
