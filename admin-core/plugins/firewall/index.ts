import type { PluginModule } from "../../host/plugin.ts";
import { forgetQubeFile, qubeFile, readIfThere, writeWhole } from "../../model/files.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { inTurnIfThere } from "../../model/qubes/turns.ts";
import { readRulesFile, renderRulesFile } from "./file.ts";
import { formatRule, isExpired, parseRules, type Rule } from "./rules.ts";

const FILE = "firewall.xml";
/** Of a qube for which nobody has made any. */
const DEFAULT = parseRules("action=accept\n");

/**
 * The rules for the network traffic of a qube, one a line (spec 8.9). Whoever puts them into force is told by the event `firewall-changed`.
 * Rules that cannot be read are an error, never the default, which accepts everything.
 */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.vm.firewall.Get": async ({ destination, permit }) => {
		permit();
		const rules = await readRules(destination);
		const now = Date.now();
		return rules
			.filter((rule) => !isExpired(rule, now))
			.map((rule) => `${formatRule(rule)}\n`)
			.join("");
	},
	"admin.vm.firewall.Set": async ({ destination, payload, permit }) => {
		const rules = parseRules(payload.toString("latin1"));
		permit({ rules: rules.map(formatRule) });
		const file = qubeFile(destination, FILE);
		// Else it could come after the removal of the qube, or before its disk is made, which begins without rules.
		await inTurnIfThere(destination, () => writeWhole(file, renderRulesFile(rules)));
		destination.fire("firewall-changed");
		return "";
	},
	"admin.vm.firewall.Reload": async ({ destination, permit }) => {
		permit();
		await readRules(destination);
		destination.fire("firewall-changed");
		return "";
	},
};

/** The rules of a qube are gone with it, and a new one does not find those of an earlier one of its name. */
export const handlers = { forget };

async function readRules(qube: Qube): Promise<readonly Rule[]> {
	const file = qubeFile(qube, FILE);
	const text = await readIfThere(file);
	return text === null ? DEFAULT : readRulesFile(file, text);
}

function forget(qube: Qube, event: string): Promise<void> {
	return forgetQubeFile(qube, event, FILE);
}
