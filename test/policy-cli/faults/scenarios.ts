// Complete calls, and what they end in when nothing goes wrong: shared by native-faults.test.ts and node-faults.test.ts.
import fs from "node:fs";
import path from "node:path";
import { entry, house } from "../core/fixtures.ts";

/** A call and its right end. */
export interface Scenario {
	readonly name: string;
	/** Five arguments: standard output is the service's. */
	readonly five: boolean;
	readonly words: readonly string[];
	/** How often each server is asked, so that a step that is left out is noticed. */
	readonly asked: readonly string[];
	readonly stdout: string;
	readonly status: number;
	/** What is logged, in this order. */
	readonly logged: readonly string[];
}

const ALLOWED = `user=DEFAULT
result=allow
target=b
target_uuid=uuid:00000000-0000-4000-8000-000000000062
autostart=True
requested_target=b
`;
const INFO = "internal.GetSystemInfo";
const FIVE = (target: string, service: string): string[] => ["7", "a", target, service, "SOCKET11"];

export const SCENARIOS: readonly Scenario[] = [
	{
		name: "allow",
		five: false,
		words: ["a", "b", "s.Allow+x"],
		asked: [INFO],
		stdout: ALLOWED,
		status: 0,
		logged: ["<14>qrexec: s.Allow+x: a -> b: allowed to b"],
	},
	{
		name: "ask",
		five: false,
		words: ["a", "b", "s.Ask+x"],
		asked: [INFO, "policy.Ask"],
		stdout: ALLOWED,
		status: 0,
		logged: ["<14>qrexec: s.Ask+x: a -> b: allowed to b"],
	},
	{
		name: "notify",
		five: false,
		words: ["a", "b", "s.Notify+x"],
		asked: [INFO, "policy.Notify"],
		stdout: ALLOWED,
		status: 0,
		logged: ["<14>qrexec: s.Notify+x: a -> b: allowed to b"],
	},
	{
		name: "ask in another GuiVM",
		five: false,
		words: ["g", "b", "s.Ask+x"],
		asked: [INFO, "-d b DEFAULT:QUBESRPC policy.Ask dom0"],
		stdout: ALLOWED,
		status: 0,
		logged: ["<14>qrexec: s.Ask+x: g -> b: allowed to b"],
	},
	{
		name: "five arguments",
		five: true,
		words: FIVE("b", "s.Allow+x"),
		asked: [
			INFO,
			"admin.vm.Start",
			"-Ed uuid:00000000-0000-4000-8000-000000000062 -c SOCKET11,a,7 -- DEFAULT:QUBESRPC s.Allow+x a",
		],
		stdout: "from the service\n",
		status: 7,
		logged: ["<14>qrexec: s.Allow+x: a -> b: allowed to b"],
	},
	{
		name: "five arguments and a new disposable",
		five: true,
		words: FIVE("@dispvm", "s.Allow+x"),
		asked: [
			INFO,
			"admin.vm.CreateDisposable",
			"admin.vm.Start",
			"-EWkd uuid:11111111-0000-4000-8000-000000000000 -c SOCKET11,a,7 -- DEFAULT:QUBESRPC s.Allow+x a",
		],
		stdout: "from the service\n",
		status: 7,
		logged: ["<14>qrexec: s.Allow+x: a -> @dispvm: allowed to @dispvm:dvm"],
	},
	{
		// The rule that denies is in a file that is a symbolic link; behind it stands one that allows.
		name: "deny",
		five: false,
		words: ["a", "b", "s.Deny+x"],
		asked: [INFO],
		stdout: "result=deny\n",
		status: 1,
		logged: ["<14>qrexec: s.Deny+x: a -> b: denied: denied by policy %{ROOT}/etc/20-link.policy:1"],
	},
];

export const SYSTEM_INFO = JSON.stringify({ domains: { ...house(), g: entry("g", { guivm: "b" }) } });

/** What qubesd and the agent say. */
export function respond(request: string): string {
	const method = request.slice(0, request.search(/[+ ]/));
	switch (method) {
		case INFO:
			return `0\0${SYSTEM_INFO}`;
		case "admin.vm.CreateDisposable":
			return "0\0uuid:11111111-0000-4000-8000-000000000000";
		case "admin.vm.Start":
			return "0\0";
		case "policy.Ask":
			return "allow:b";
		case "policy.Notify":
			return "";
		default:
			// A request that was lost on its way.
			return "";
	}
}

/** The name of what a request is about, as in `Scenario.asked`. */
export function nameOf(request: string): string {
	return request.slice(0, request.search(/[+ ]/));
}

/** The policy of all scenarios: two directories, a file that is a link, an include, old files, one text that is not plain. */
export function writePolicy(root: string): void {
	const write = (name: string, text: string): void => {
		fs.mkdirSync(path.dirname(`${root}/${name}`), { recursive: true });
		fs.writeFileSync(`${root}/${name}`, text);
	};
	write("run/30-user.policy", "# für alle\ns.Other * * * deny\n!include-service s.Third * service\n");
	write("run/service", "@anyvm @anyvm deny\n");
	write("etc/20-link.policy.target", "s.Deny * * * deny notify=no\n");
	fs.symlinkSync("20-link.policy.target", `${root}/etc/20-link.policy`);
	write("etc/50-more.policy", "s.Ask * * * ask\ns.Notify * * * allow notify=yes\n!include more\n");
	write("etc/more", "s.Allow * * * allow\n");
	write("etc/90-default.policy", "!compat-4.0\n* * * * allow\n");
	write("old/s.Old+x", "$anyvm $anyvm deny\n");
}

/** The options of a call whose servers are below `root`. */
export function options(root: string, logSocket: string): string[] {
	const places = ["--path", `${root}/run`, "--path", `${root}/etc`, "--legacy-dir", `${root}/old`];
	places.push("--qubesd-internal-socket", `${root}/qubesd`, "--qubesd-socket", `${root}/qubesd`, "--rpc-dir", `${root}/rpc`);
	return [...places, "--qrexec-client", `${root}/qrexec-client`, "--log-socket", logSocket, "--timeout", "1"];
}
