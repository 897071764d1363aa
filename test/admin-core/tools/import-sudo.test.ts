// Who is not root imports by sudo, as the images are those of root: spec/admin-core.md 11, qvm-volume. With the built programs.
import fs from "node:fs";
import test from "ava";
import { FakeServer, reply } from "../../support/fake-server.ts";
import { LIST } from "./fake-qubesd.ts";
import { Unprivileged } from "./unprivileged.ts";

test("the service is run by sudo, which passes no environment on", async (t) => {
	const user = new Unprivileged(t);
	const file = user.write("data.img", "hello");
	const image = user.write("private-import.img", "");
	const answers: { readonly [method: string]: string } = {
		"admin.vm.List": LIST,
		"admin.vm.volume.List": "private\n",
		"internal.vm.volume.ImportBegin": `5 ${image}`,
		"internal.vm.volume.ImportEnd": "",
	};
	const server = await FakeServer.listen(
		user.path("qubesd.sock"),
		reply((request) => `0\0${answers[request.split("+")[0] as string]}`),
	);
	t.teardown(() => server.close());
	fs.chmodSync(user.path("qubesd.sock"), 0o777);
	// Before sudo is there, so to say, nobody may even look at the internal socket.
	const hidden = user.path("internal.sock");
	user.write("sudo", SUDO, 0o755);
	const env = {
		PATH: `${user.dir}:${process.env["PATH"]}`,
		QUBESD_SOCKET: user.path("qubesd.sock"),
		QUBESD_INTERNAL_SOCKET: hidden,
	};
	const outcome = await user.run(["qvm-volume", "import", "work:private", file], env);
	t.deepEqual(outcome, { status: 0, out: "", err: "" });
	t.is(fs.readFileSync(image, "utf8"), "hello");
	const [, assignments, program] =
		/^-- env (\S+ \S+ \S+) (.+) private\n$/.exec(fs.readFileSync(user.path("called"), "utf8")) ?? [];
	t.is(assignments, `QREXEC_REMOTE_DOMAIN=dom0 QREXEC_REQUESTED_TARGET=work QUBESD_INTERNAL_SOCKET=${hidden}`);
	t.regex(program ?? "", /node\S* \S+\/dist\/lib\/admin\.vm\.volume\.ImportWithSize\.mjs$/);
	t.deepEqual(server.requests.slice(-2), [
		"internal.vm.volume.ImportBegin+private dom0 name work\x005",
		"internal.vm.volume.ImportEnd+private dom0 name work\0ok",
	]);
});

/** Opens what was hidden, keeps what it was called with, and runs that with nothing of the environment but the PATH. */
const SUDO = `#!/bin/sh
cd "$(dirname "$0")" && ln -s qubesd.sock internal.sock && echo "$@" > called && shift && exec env -i PATH="$PATH" "$@"
`;

test("what sudo refuses is the error", async (t) => {
	const user = new Unprivileged(t);
	const file = user.write("data.img", "hello");
	const server = await FakeServer.listen(
		user.path("qubesd.sock"),
		reply((request) => `0\0${request.startsWith("admin.vm.List") ? LIST : "private\n"}`),
	);
	t.teardown(() => server.close());
	fs.chmodSync(user.path("qubesd.sock"), 0o777);
	const env = { QUBESD_SOCKET: user.path("qubesd.sock"), QUBESD_INTERNAL_SOCKET: user.path("internal.sock") };
	user.write("sudo", "#!/bin/sh\necho user is not in the sudoers file >&2\nexit 1\n", 0o755);
	const { status, err } = await user.run(["qvm-volume", "import", "work:private", file], {
		...env,
		PATH: `${user.dir}:${process.env["PATH"]}`,
	});
	t.is(status, 1);
	t.is(err, "qvm-volume: error: cannot run admin.vm.volume.ImportWithSize: user is not in the sudoers file\n");
});
