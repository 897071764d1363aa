// Manifests and lazy loading: spec/admin-core.md 6.2.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { ManifestError, readManifest, readManifests } from "../../../admin-core/host/manifest.ts";
import { PluginHost } from "../../../admin-core/host/plugin-host.ts";
import { makeHouse } from "../model/house.ts";
import { openDesk } from "../plugins/desk.ts";

const home = fs.mkdtempSync(path.join(os.tmpdir(), "plugins-"));
test.after.always(() => fs.rmSync(home, { recursive: true }));

/** A folder of plugins, each with a manifest and a module. */
function writePlugins(name: string, plugins: { readonly [name: string]: { manifest: object | string; code?: string } }): string {
	const dir = path.join(home, name);
	for (const [plugin, { manifest, code }] of Object.entries(plugins)) {
		fs.mkdirSync(path.join(dir, plugin), { recursive: true });
		const text =
			typeof manifest === "string" ? manifest : JSON.stringify({ name: plugin, api: 1, module: "./index.cjs", ...manifest });
		fs.writeFileSync(path.join(dir, plugin, "manifest.json"), text);
		if (code !== undefined) fs.writeFileSync(path.join(dir, plugin, "index.cjs"), code);
	}
	return dir;
}

function openHost(t: ExecutionContext, dir: string): { host: PluginHost; traced: string[] } {
	const traced: string[] = [];
	const host = new PluginHost(
		readManifests(dir, (error) => t.fail(error.message)),
		{ trace: (line) => traced.push(line) },
	);
	t.teardown(() => host.close());
	return { host, traced };
}

const SHAPE = { destination: "any", argument: "none", payload: "none" };
const WATCHER = { handlers: [{ patterns: ["property-set:*"], on: "Qube", handler: "watch" }] };

test.serial("qubes-prefs needs the plugin of properties and no other", async (t) => {
	const desk = openDesk(t);
	for (const call of [
		"admin.property.List",
		"admin.property.GetAll",
		"admin.property.Get+clockvm",
		"admin.property.Help+clockvm",
	]) {
		await desk.call("dom0", call);
	}
	await desk.call("dom0", "admin.property.Set+updatevm", "sys-net");
	await desk.call("dom0", "admin.property.Reset+updatevm");
	t.is(desk.traced.length, 1);
	t.regex(desk.traced[0] ?? "", /^plugin properties: loaded for admin\.property\.List, [\d.]+ ms$/);
});

test.serial("what the manifests say is known without loading anything", async (t) => {
	const desk = openDesk(t);
	t.is(await desk.call("work", "admin.vm.feature.Get"), "ProtocolError: expected an argument");
	t.deepEqual(desk.traced, []);
});

test.serial("a plugin on property-set:* is loaded by the first such event that is delivered, and not before", (t) => {
	const code = 'exports.handlers = { watch(qube, event) { globalThis.watched = qube.name + " " + event; } };';
	const { traced } = openHost(t, writePlugins("watcher", { watcher: { manifest: WATCHER, code } }));
	const work = makeHouse().qube("work");
	work.features.set("x", 1);
	work.reset("memory");
	work.eventsEnabled = false;
	work.set("memory", 500);
	t.deepEqual(traced, []);
	work.eventsEnabled = true;
	work.set("memory", 600);
	t.is(traced.length, 1);
	t.regex(traced[0] ?? "", /^plugin watcher: loaded for property-set:memory, /);
	t.is((globalThis as { watched?: string }).watched, "work property-set:memory");
});

test.serial("a plugin that cannot be loaded fails only what it serves, each time with the reason", async (t) => {
	const dir = writePlugins("broken", {
		broken: {
			manifest: {
				methods: [{ name: "broken.Method", ...SHAPE }],
				handlers: [
					{ patterns: ["admin-permission:*"], on: "AppVM", handler: "permit" },
					{ patterns: ["property-pre-set:memory"], on: "Qube", handler: "veto" },
					{ patterns: ["property-set:memory", "property-set:vcpus"], on: "Qube", handler: "watch" },
				],
			},
			code: "throw new Error('it is broken');",
		},
	});
	const { host, traced } = openHost(t, dir);
	const work = makeHouse().qube("work");
	for (let i = 0; i < 2; i++) {
		t.like(
			t.throws(() => host.method("broken.Method")?.load()),
			{ kind: "QubesException", message: "broken.Method: plugin broken cannot be loaded: it is broken" },
		);
	}
	t.is(traced.length, 1, "it is tried once");
	t.like(
		t.throws(() => work.fire("admin-permission:x", {}, { pre: true })),
		{ kind: "PermissionDenied" },
	);
	t.like(
		t.throws(() => work.set("memory", 500)),
		{ kind: "QubesException" },
	);
	t.is(work.get("memory"), 400);
	work.set("vcpus", 4);
	t.is(work.get("vcpus"), 4);
});

test.serial("two plugins that serve the same method are refused at the start", (t) => {
	const manifest = { methods: [{ name: "same.Method", ...SHAPE }] };
	const manifests = readManifests(writePlugins("same", { one: { manifest }, two: { manifest } }), (error) =>
		t.fail(error.message),
	);
	t.throws(() => new PluginHost(manifests), { message: "two plugins serve same.Method: remove one; the second is two" });
});

test.serial("a plugin for a class that does not exist is left out", (t) => {
	const manifest = { methods: [{ name: "no.Class", ...SHAPE }], handlers: [{ patterns: ["*"], on: "NoVM", handler: "x" }] };
	const manifests = readManifests(writePlugins("noclass", { one: { manifest } }), (error) => t.fail(error.message));
	const host = new PluginHost(manifests);
	t.teardown(() => host.close());
	t.is(host.method("no.Class"), null);
});

for (const [what, manifest, message] of [
	["is no JSON", "{", /manifest\.json: /],
	["is a list", "[]", /the manifest: want an object$/],
	["is for another version", { api: 2 }, /"api" is 2: want 1$/],
	["has no module", { module: 5 }, /"module" is 5: want a text$/],
	["has methods that are none", { methods: [1] }, /methods\[0\]: want an object$/],
	[
		"has a method without shape",
		{ methods: [{ name: "x" }] },
		/"methods\[0\]\.destination" is undefined: want one of dom0, any, not-dom0$/,
	],
	[
		"has handlers without patterns",
		{ handlers: [{ on: "Qube", handler: "x" }] },
		/"handlers\[0\]\.patterns" is undefined: want a list of texts$/,
	],
	["has a flag that is none", { methods: [{ name: "x", ...SHAPE, save: 1 }] }, /"methods\[0\]\.save" is 1: want true or false$/],
] as const) {
	test.serial(`a manifest that ${what} is left out, with the file and the field in the message`, (t) => {
		const dir = writePlugins(what, { bad: { manifest }, good: { manifest: {} } });
		const refused: ManifestError[] = [];
		t.deepEqual(
			readManifests(dir, (error) => refused.push(error)).map(({ name }) => name),
			["good"],
		);
		t.is(refused.length, 1);
		t.regex(refused[0]?.message ?? "", message);
		t.throws(() => readManifest(path.join(dir, "bad/manifest.json")), { instanceOf: ManifestError });
	});
}

test.serial("a plugins directory that cannot be read is an error that names it", (t) => {
	t.throws(() => readManifests("/nonexistent", () => undefined), {
		instanceOf: ManifestError,
		message: /plugins directory \/nonexistent/,
	});
});
