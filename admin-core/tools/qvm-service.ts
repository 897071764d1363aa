/** qvm-service: services of a qube. A service NAME is the feature `service.NAME`: `1` is on, the empty text off, unset leaves it to the qube. */
import { command, type Invocation } from "./command.ts";
import { UsageError } from "./errors.ts";
import { getFeature, getFeatures, removeFeature, setFeature } from "./features.ts";
import { flag, JSON_OPTION } from "./options.ts";
import { findQube, qubeNames } from "./qubes.ts";
import { renderJson, renderTable } from "./table.ts";

const PREFIX = "service.";

const OPTIONS = {
	list: flag("list the services that are set (also without options)", "l"),
	enable: flag("switch the service on", "e"),
	disable: flag("switch the service off", "d"),
	unset: flag("leave it to the qube whether the service runs", "default", "delete", "D"),
	...JSON_OPTION,
} as const;

type Action = "list" | "get" | "on" | "off" | "unset";

/** Lists, shows, switches or resets services of a qube; the exit status is 1 if the one to be shown is not set. */
export const run = command({
	name: "qvm-service",
	about: "Lists, shows, switches or resets services of a qube. The exit status is 1 if the service to be shown is not set.",
	words: ["VMNAME", "SERVICE?", "on|off?"],
	options: OPTIONS,
	complete: async ([qube, ...more], qubesd) => {
		if (qube === undefined) return qubeNames(qubesd);
		if (more.length === 1) return ["on", "off"];
		const features = more.length === 0 ? await qubesd.list(qube, "admin.vm.feature.List") : [];
		return features.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
	},
	act: async ({ options, words, qubesd, io, print }) => {
		const action = chooseAction(options, words);
		const qube = (await findQube(qubesd, words[0])).name;
		const feature = `${PREFIX}${words[1]}`;
		switch (action) {
			case "list": {
				const services = (await getFeatures(qubesd, qube, PREFIX)).map(([name, value]): [string, boolean] => [
					name,
					value !== "",
				]);
				const rows = services.map(([name, isOn]) => [name, isOn ? "on" : "off"]);
				io.stdout.write(options.json === true ? renderJson(Object.fromEntries(services)) : renderTable(rows));
				return 0;
			}
			case "get": {
				const value = await getFeature(qubesd, qube, feature);
				if (value === undefined) return 1;
				if (options.json === true) print(JSON.stringify(value !== ""));
				else print(value === "" ? "off" : "on");
				return 0;
			}
			case "unset":
				await removeFeature(qubesd, qube, feature);
				return 0;
			default:
				await setFeature(qubesd, qube, feature, action === "on" ? "1" : "");
				return 0;
		}
	},
});

/** What the options and words ask for. Throws UsageError where they ask for two things, or where a SERVICE is missing. */
function chooseAction(options: Invocation<typeof OPTIONS>["options"], [, service, value]: readonly string[]): Action {
	const asked: Action[] = [];
	if (options.list === true) asked.push("list");
	if (options.enable === true) asked.push("on");
	if (options.disable === true) asked.push("off");
	if (options.unset === true) asked.push("unset");
	if (value === "on" || value === "off") asked.push(value);
	else if (value !== undefined) throw new UsageError(`invalid value "${value}": want on or off`);
	if (asked.length > 1) throw new UsageError("--list, --enable, --disable, --unset and on|off exclude each other");
	const action = asked[0] ?? (service === undefined ? "list" : "get");
	if (action === "list" && service !== undefined) throw new UsageError("--list goes without a SERVICE");
	if (action !== "list" && !service) throw new UsageError("missing SERVICE");
	return action;
}
