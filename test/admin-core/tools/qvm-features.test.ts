// qvm-features and qvm-service: spec/admin-core.md 10.3 and 11.
import test from "ava";
import { run as features } from "../../../admin-core/tools/qvm-features.ts";
import { run as service } from "../../../admin-core/tools/qvm-service.ts";
import { fail, NOTHING, runTool } from "./fake-qubesd.ts";

const ABSENT = fail("QubesFeatureNotFoundError", "Feature not set for domain work: x");
const LIST = "work: admin.vm.feature.List";
const get = (name: string) => `work: admin.vm.feature.Get+${name}`;
const set = (name: string, value: string) => `work: admin.vm.feature.Set+${name}${value === "" ? "" : ` <${value}>`}`;
const remove = (name: string) => `work: admin.vm.feature.Remove+${name}`;

const SOME = {
	[LIST]: "service.cups\ngui\nservice.crond\nnet.fake-ip\n",
	[get("service.cups")]: "",
	[get("gui")]: "1",
	[get("service.crond")]: "1",
	[get("net.fake-ip")]: "10.0.0.1",
};

test("qvm-features lists names and values, and asks for each", async (t) => {
	const { status, out, calls } = await runTool(features, ["work"], SOME);
	t.deepEqual([status, out], [0, "service.cups\ngui            1\nservice.crond  1\nnet.fake-ip    10.0.0.1\n"]);
	t.deepEqual(calls, ["L", LIST, get("service.cups"), get("gui"), get("service.crond"), get("net.fake-ip")]);
});

test("qvm-features --json has names and values", async (t) => {
	const { out } = await runTool(features, ["work", "--json"], SOME);
	t.deepEqual(JSON.parse(out), { "service.cups": "", gui: "1", "service.crond": "1", "net.fake-ip": "10.0.0.1" });
});

test("a feature that goes while it is listed is left out", async (t) => {
	const { status, out } = await runTool(features, ["work"], { ...SOME, [get("gui")]: ABSENT });
	t.is(status, 0);
	t.notRegex(out, /gui/);
});

test("qvm-features dom0 suspend-s0ix tells by its status, as the boot script wants it", async (t) => {
	const call = "dom0: admin.vm.feature.Get+suspend-s0ix";
	const absent = await runTool(features, ["dom0", "suspend-s0ix"], { [call]: ABSENT });
	t.deepEqual(absent, { status: 1, out: "", err: "", calls: ["L", call] });
	const there = await runTool(features, ["dom0", "suspend-s0ix"], { [call]: "1" });
	t.deepEqual(there, { status: 0, out: "1\n", err: "", calls: ["L", call] });
});

for (const [run, line, call, answer, status, out] of [
	[features, ["work", "x"], get("x"), "", 0, "\n"],
	[features, ["work", "x"], get("x"), ABSENT, 1, ""],
	[features, ["work", "x", "--json"], get("x"), 'a"b', 0, '"a\\"b"\n'],
	[features, ["work", "x", "--json"], get("x"), ABSENT, 1, ""],
	[features, ["work", "x", "1"], set("x", "1"), "", 0, ""],
	[features, ["work", "x", "00"], set("x", "00"), "", 0, ""],
	[features, ["work", "x", ""], set("x", ""), "", 0, ""],
	[features, ["work", "a-b_c", "v w"], set("a-b_c", "v w"), "", 0, ""],
	[features, ["-D", "work", "x"], remove("x"), "", 0, ""],
	[features, ["work", "x", "--unset"], remove("x"), ABSENT, 0, ""],
	[features, ["work", "--default", "x"], remove("x"), "", 0, ""],
	[features, ["work", "x", "--del"], remove("x"), "", 0, ""],
	[service, ["work", "cups"], get("service.cups"), "1", 0, "on\n"],
	[service, ["work", "cups"], get("service.cups"), "", 0, "off\n"],
	[service, ["work", "cups"], get("service.cups"), ABSENT, 1, ""],
	[service, ["work", "cups", "--json"], get("service.cups"), "", 0, "false\n"],
	[service, ["work", "cups", "--json"], get("service.cups"), "1", 0, "true\n"],
	[service, ["work", "cups", "on"], set("service.cups", "1"), "", 0, ""],
	[service, ["work", "cups", "off"], set("service.cups", ""), "", 0, ""],
	[service, ["-e", "work", "cups"], set("service.cups", "1"), "", 0, ""],
	[service, ["--enable", "work", "cups"], set("service.cups", "1"), "", 0, ""],
	[service, ["work", "-d", "cups"], set("service.cups", ""), "", 0, ""],
	[service, ["--dis", "work", "cups"], set("service.cups", ""), "", 0, ""],
	[service, ["-D", "work", "cups"], remove("service.cups"), "", 0, ""],
	[service, ["--unset", "work", "cups"], remove("service.cups"), ABSENT, 0, ""],
	[service, ["--default", "work", "cups"], remove("service.cups"), "", 0, ""],
] as const) {
	const name = run === features ? "qvm-features" : "qvm-service";
	const how = answer === ABSENT ? ", which is unset," : "";
	test(`${name} ${JSON.stringify(line)}${how} asks for the qubes, then ${call} (status ${status}, ${JSON.stringify(answer)})`, async (t) => {
		t.deepEqual(await runTool(run, line, { [call]: answer }), { status, out, err: "", calls: ["L", call] });
	});
}

for (const [run, line] of [
	[features, ["work", "-D"]],
	[features, ["work", "x", "1", "-D"]],
	[features, ["work", "x", "1", "2"]],
	[features, ["work", ""]],
	[service, ["work", "-e"]],
	[service, ["work", "cups", "-e", "-d"]],
	[service, ["work", "cups", "on", "-D"]],
	[service, ["work", "cups", "maybe"]],
	[service, ["work", "", "on"]],
	[service, ["-l", "work", "cups"]],
	[service, ["-l", "-e", "work"]],
] as const) {
	test(`${run === features ? "qvm-features" : "qvm-service"} ${JSON.stringify(line)} is a usage error and asks nothing`, async (t) => {
		const { status, out, calls } = await runTool(run, line);
		t.deepEqual([status, out, calls], [2, "", []]);
	});
}

test("a value or name that the daemon refuses ends with 1 and its message", async (t) => {
	const { status, err } = await runTool(features, ["work", "a%b", "1"], {
		[set("a%b", "1")]: fail("ProtocolError", "feature name contains illegal characters: a%b"),
	});
	t.deepEqual([status, err], [1, "qvm-features: error: feature name contains illegal characters: a%b\n"]);
});

test("an empty reply to Get is an error, not an unset feature", async (t) => {
	const { status, err } = await runTool(features, ["work", "x"], { [get("x")]: NOTHING });
	t.is(status, 1);
	t.regex(err, /Got empty response from qubesd/);
});

for (const line of [["work"], ["-l", "work"], ["work", "--list"]]) {
	test(`qvm-service ${line.join(" ")} lists services only, and asks for these only`, async (t) => {
		const { status, out, calls } = await runTool(service, line, SOME);
		t.deepEqual([status, out], [0, "cups   off\ncrond  on\n"]);
		t.deepEqual(calls, ["L", LIST, get("service.cups"), get("service.crond")]);
	});
}

test("qvm-service --json says which are on", async (t) => {
	t.deepEqual(JSON.parse((await runTool(service, ["work", "--json"], SOME)).out), { cups: false, crond: true });
});

test("features and services are completed", async (t) => {
	t.is((await runTool(features, ["--get-completions", "work", "g"], SOME)).out, "gui\n");
	t.is((await runTool(service, ["--get-completions", "work", "c"], SOME)).out, "cups\ncrond\n");
	t.is((await runTool(service, ["--get-completions", "work", "cups", "o"], SOME)).out, "on\noff\n");
});
