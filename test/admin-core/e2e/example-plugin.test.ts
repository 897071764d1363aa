// The plugin in examples/plugins, in a running qubesd: docs/plugins.md.
import path from "node:path";
import test from "ava";
import { House } from "./house.ts";

const PLUGINS = ["--plugins", path.resolve("examples/plugins")];

test("the example plugin is loaded by the first feature of a service, and refuses a bad name", async (t) => {
	const house = await House.open(t, { options: PLUGINS });
	await house.run("qvm-features", "work", "gui", "1");
	t.notRegex(house.logged, /plugin service-names/);
	const refused = await house.run("qvm-features", "work", "service.CUPS", "1");
	t.is(refused.status, 1);
	t.regex(refused.stderr, /name of a service: want "cups", not "CUPS"/);
	t.regex(house.logged, /plugin service-names: loaded for domain-feature-pre-set:service\.CUPS, /);
	t.is((await house.run("qvm-service", "work", "cups", "on")).status, 0);
	t.is((await house.run("qvm-service", "work", "cups")).stdout, "on\n");
});

test("the method of the example plugin can be called", async (t) => {
	const house = await House.open(t, { options: PLUGINS });
	await house.run("qvm-service", "work", "cups", "on");
	t.is(await house.call("example.ServiceNames+ dom0 name work\0"), "0\0cups\n");
	t.is(await house.call("example.ServiceNames+x dom0 name work\0"), "2\0ProtocolError\0\0unexpected argument\0");
});

test("without the plugin its method does not exist", async (t) => {
	const house = await House.open(t);
	t.is(
		await house.call("example.ServiceNames+ dom0 name work\0"),
		"2\0ProtocolError\0\0no such method: 'example.ServiceNames'\0",
	);
});
