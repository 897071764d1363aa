// What older stores say otherwise, and what may be missing or odd: spec/admin-core.md 5.4, 12.
import test, { type ExecutionContext } from "ava";
import { offClass, onClass } from "../../../admin-core/model/events/emitter.ts";
import { DEFAULT_LABELS } from "../../../admin-core/model/labels.ts";
import { Qube } from "../../../admin-core/model/qubes/qube.ts";
import type { DomainData, Pair } from "../../../admin-core/store/data.ts";
import { describeApp } from "../../../admin-core/system/describe-app.ts";
import { type Loaded, loadApp } from "../../../admin-core/system/load-app.ts";

type Texts = { readonly [name: string]: string };

/** A qube of a store; each has a uuid, so that only migrations change anything. */
function domain(qid: number, klass: string, name: string, properties: Texts = {}, features: Texts = {}): DomainData {
	const uuid = `4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a9${String(qid).padStart(2, "0")}`;
	const own: Texts = klass === "AdminVM" ? { label: "black" } : { label: "red", name, uuid };
	const pairs = Object.entries({ ...own, ...properties });
	return { qid, class: klass, properties: pairs, features: Object.entries(features), tags: [], devices: [], volumes: null };
}

function load(globals: Texts, ...domains: readonly DomainData[]): Loaded {
	const properties: Pair[] = Object.entries(globals);
	return loadApp({ labels: DEFAULT_LABELS, pools: [], properties, domains: [domain(0, "AdminVM", "dom0"), ...domains] });
}

/** What is written to the log, while `work` runs. */
function logOf(t: ExecutionContext, work: () => void): string {
	const lines: string[] = [];
	const write = process.stderr.write.bind(process.stderr);
	process.stderr.write = (text) => lines.push(String(text)) > 0;
	try {
		work();
	} finally {
		process.stderr.write = write;
	}
	t.true(lines.length > 0);
	return lines.join("");
}

const NET: Texts = { provides_network: "True", netvm: "" };

test.serial("default_fw_netvm is given to the net qubes that took it, and is gone", (t) => {
	const loaded = load(
		{ default_fw_netvm: "sys-net", default_netvm: "sys-firewall" },
		domain(1, "StandaloneVM", "sys-net", NET),
		domain(2, "StandaloneVM", "sys-firewall", { provides_network: "True" }),
		domain(3, "StandaloneVM", "sys-vpn", { provides_network: "True", netvm: "sys-firewall" }),
		domain(4, "StandaloneVM", "work"),
	);
	const { app } = loaded;
	const netvms = app.qubes().map((qube) => [qube.name, qube.related("netvm")?.name ?? null]);
	t.deepEqual(Object.fromEntries(netvms), {
		...{ dom0: null, "sys-firewall": "sys-net", "sys-net": null, "sys-vpn": "sys-firewall", work: "sys-firewall" },
	});
	t.false(app.qube("sys-firewall").isDefault("netvm"));
	t.true(app.qube("work").isDefault("netvm"));
	t.deepEqual(describeApp(loaded).properties, [["default_netvm", "sys-firewall"]]);
	t.true(loaded.isChanged);
});

test.serial("a default_fw_netvm that is none, or cannot be, connects nobody", (t) => {
	const firewall = domain(2, "StandaloneVM", "sys-firewall", { provides_network: "True" });
	const { app } = load({ default_fw_netvm: "" }, firewall);
	t.is(app.qube("sys-firewall").get("netvm"), null);
	t.false(app.qube("sys-firewall").isDefault("netvm"));
	const log = logOf(t, () => {
		const other = load(
			{ default_fw_netvm: "gone", default_netvm: "sys-net" },
			domain(1, "StandaloneVM", "sys-net", NET),
			firewall,
		);
		t.is(other.app.qube("sys-firewall").get("netvm"), null);
	});
	t.regex(log, /qube sys-firewall: default_fw_netvm is not taken over, it is connected to nothing: .* non-existing qube gone/);
});

test.serial("default_dispvm and management_dispvm that make no disposables are emptied", (t) => {
	const loaded = load(
		{ default_dispvm: "work", management_dispvm: "work" },
		domain(1, "StandaloneVM", "work"),
		domain(2, "StandaloneVM", "vault", { default_dispvm: "work", management_dispvm: "work" }),
	);
	const vault = loaded.app.qube("vault");
	for (const name of ["default_dispvm", "management_dispvm"]) {
		for (const holder of [loaded.app, vault]) t.deepEqual([holder.get(name), holder.isDefault(name)], [null, false]);
	}
	t.deepEqual(describeApp(loaded).properties, [
		["default_dispvm", ""],
		["management_dispvm", ""],
	]);
});

test.serial("hvm and dispvm_allowed have other names by now", (t) => {
	const { app } = load(
		{},
		domain(1, "StandaloneVM", "a", { hvm: "True", dispvm_allowed: "True" }),
		domain(2, "StandaloneVM", "b", { hvm: "False" }),
	);
	t.is(app.qube("a").get("virt_mode"), "hvm");
	t.is(app.qube("a").get("template_for_dispvms"), true);
	t.is(app.qube("b").get("virt_mode"), "pv");
});

test.serial("service.meminfo-writer becomes maxmem", (t) => {
	const features = (value: string): Texts => ({ "service.meminfo-writer": value, other: "1" });
	const loaded = load(
		{},
		domain(1, "StandaloneVM", "off", { maxmem: "2000" }, features("")),
		domain(2, "StandaloneVM", "on", { maxmem: "2000" }, features("1")),
	);
	const [off, on] = ["off", "on"].map((name) => loaded.app.qube(name));
	t.deepEqual([off?.get("maxmem"), on?.get("maxmem")], [0, 2000]);
	for (const qube of [off, on]) t.deepEqual(qube?.features.entries(), [["other", "1"]]);
	t.true(loaded.isChanged);
	t.false(load({}, domain(1, "StandaloneVM", "plain", {}, { other: "1" })).isChanged);
});

test.serial("features that no client could set are kept, with a line in the log", (t) => {
	const features: Texts = { "a b": "1", c: "x\ny", fine: "1" };
	const log = logOf(t, () => {
		const { app } = load({}, domain(1, "StandaloneVM", "work", {}, features));
		t.deepEqual(Object.fromEntries(app.qube("work").features.entries()), features);
	});
	t.regex(log, /qube work: feature 'a b': feature name: want a-z A-Z 0-9 _ \. -/);
	t.regex(log, /qube work: feature 'c': feature value: want printable ASCII characters/);
	t.notRegex(log, /fine/);
});

test.serial("a disposable without a number gets one", (t) => {
	const loaded = load(
		{},
		domain(1, "TemplateVM", "base"),
		domain(2, "AppVM", "dvm", { template: "base", template_for_dispvms: "True" }),
		domain(3, "DispVM", "disp", { template: "dvm" }),
	);
	const dispid = loaded.app.qube("disp").get("dispid");
	t.true(typeof dispid === "number" && dispid >= 0 && dispid <= 9999);
	t.true(loaded.isChanged);
});

test.serial("what a system usually names is missed in the log", (t) => {
	const log = logOf(t, () => load({ clockvm: "net", default_netvm: "net" }, domain(1, "StandaloneVM", "net", NET)));
	t.regex(log, /the store names no default_template, updatevm\n/);
});

test.serial("while a qube is told that it was loaded, the app and the qubes after it are silent", (t) => {
	const seen: unknown[] = [];
	const note = (qube: Qube): void => {
		const { app } = qube;
		seen.push([qube.name, app.eventsEnabled, app.qubes().flatMap((one) => (one.eventsEnabled ? [one.name] : []))]);
	};
	onClass(Qube, "domain-load", note);
	t.teardown(() => offClass(Qube, "domain-load", note));
	const { app } = load({}, domain(1, "StandaloneVM", "a"), domain(2, "StandaloneVM", "b"));
	t.deepEqual(seen, [
		["dom0", false, ["dom0"]],
		["a", false, ["dom0", "a"]],
		["b", false, ["dom0", "a", "b"]],
	]);
	t.true(app.eventsEnabled);
});
