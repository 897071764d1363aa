// A Python client that knows nothing but the specification, on the built qubesd: what it trips over, the unmodified tools would trip over.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { FakeServer, reply } from "../../../support/fake-server.ts";
import { runToEnd } from "../../../support/run-program.ts";
import { openFurnished } from "./furnished.ts";

const HERE = "test/admin-core/e2e/sequences";

const images = fs.mkdtempSync(path.join(os.tmpdir(), "images-"));
for (const name of ["stick", "archive"]) fs.writeFileSync(path.join(images, `${name}.img`), "12345");
// The daemon inherits it.
process.env["DISK_IMAGES"] = images;
test.after.always(() => fs.rmSync(images, { recursive: true }));

function python(...args: readonly string[]) {
	return runToEnd(["python3", "-B", ...args]);
}

test("a whole day of an administrator goes by without anything that a Python client would trip over", async (t) => {
	const house = await openFurnished(t, ["--plugins", path.resolve("examples/plugins")]);
	const { status, stdout, stderr } = await python(path.join(HERE, "walk.py"), house.path("qubesd.sock"), house.dir);
	t.is(stderr, "");
	t.is(status, 0, stdout);
	t.regex(stdout, /^ls: \d+ calls\nprefs: \d+ calls\n(.+\n)+mistakes: 7 calls\n$/);
	t.notRegex(house.logged, /internal error/);
});

/** The client on a server that answers so: what the call gives. */
async function answeredWith(t: ExecutionContext, answer: string, call: string) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "fake-qubesd-"));
	const server = await FakeServer.listen(path.join(dir, "sock"), reply(answer));
	t.teardown(() => {
		server.close();
		fs.rmSync(dir, { recursive: true });
	});
	const script = `import sys; sys.path.insert(0, "${HERE}"); import client; print(client.Qubesd("${dir}/sock").${call})`;
	const { stdout, stderr } = await python("-c", script);
	return { request: server.requests.join(), shown: stderr.trimEnd().split("\n").at(-1) || stdout.trimEnd() };
}

/** What the client makes of replies that the daemon may not give: this is what would fail the walk. */
const REPLIES: readonly (readonly [fact: string, answer: string, call: string, shown: RegExp])[] = [
	["nothing", "", 'text("dom0", "x")', /QubesDaemonAccessError: Got empty response from qubesd/],
	["a type that is none", "3\0", 'text("dom0", "x")', /invalid response type/],
	["a lone % to format", "2\0QubesException\0\x00100% wrong\0", 'text("dom0", "x")', /^ValueError|^TypeError/],
	["a % of its own", "2\0QubesVMError\0\x00100%% wrong\0", 'text("dom0", "x")', /^client\.QubesVMError: 100% wrong$/],
	["arguments to format", "2\0QubesVMError\0\0%s: %d\0a\x0012\0", 'text("dom0", "x")', /^client\.QubesVMError: a: 12$/],
	["a % that is not formatted", "2\0ProtocolError\0\x00100% wrong\0", 'text("dom0", "x")', /^client\.ProtocolError: 100% wrong$/],
	["an exception that nobody knows", "2\0NoSuchThing\0\0text\0", 'text("dom0", "x")', /^client\.QubesException: text$/],
	["an exception without its end", "2\0QubesVMError\0\0text", 'text("dom0", "x")', /each ended by NUL/],
	["a traceback", "2\0QubesVMError\0Traceback\0text\0", 'text("dom0", "x")', /a traceback without --debug/],
	["a last line without its end", "0\0a\nb", 'lines("dom0", "x")', /a line without its end/],
	["a property without a type", "0\0default=True str x", 'property("dom0", "x")', /str: want type=/],
	["a property with a CR in it", "0\0a default=True type=str x\rb\n", 'properties("dom0")', /^ValueError/],
	["a backslash that escapes nothing", "0\0a default=True type=str x\\t\n", 'properties("dom0")', /^KeyError/],
	["a driver without a space", "0\0linux-kernel\n", "drivers()", /^ValueError/],
	["a flag in small letters", "0\0size=1\nusage=1\nrevisions_to_keep=1\nrw=true\n", 'volume("dom0", "x")', /^KeyError: 'true'$/],
	[
		"a device of nobody",
		"0\0None+a:* device_id='*' port_id='a' devclass='usb' backend_domain='*' mode='required'\n",
		'assignments("dom0", "usb")',
		/^AssertionError/,
	],
	[
		"a device with an unknown key",
		"0\0a:* device_id='*' port_id='a' devclass='usb' backend_domain='dom0' odd='1'\n",
		'available("dom0", "usb")',
		/^AssertionError: keys \{'odd'\}/,
	],
];
for (const [fact, answer, call, shown] of REPLIES) {
	test(`the Python client is told ${fact}`, async (t) => {
		const result = await answeredWith(t, answer, call);
		t.regex(result.shown, shown);
		t.regex(result.request, /^[\w.]+\+\w* dom0 name dom0\0$/);
	});
}
