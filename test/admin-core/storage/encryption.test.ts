// dm-crypt: spec/storage-reflink.md 1.6. Device mapper is not to be had here, so a script stands in for cryptsetup, and a folder for /dev/mapper.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { cryptsetup } from "../../../admin-core/system/volume-encryption.ts";

function makeCryptsetup(t: ExecutionContext, end = "exit 0"): { dir: string; program: string; told: () => string } {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "crypt-"));
	t.teardown(() => fs.rmSync(dir, { recursive: true }));
	const program = path.join(dir, "cryptsetup");
	const script = `#!/bin/sh\necho "$@" >> '${dir}/told'\nfor last; do :; done\n[ "$*" = "\${*#*open}" ] || printf data > '${dir}'/"$last"\n${end}\n`;
	fs.writeFileSync(program, script, { mode: 0o755 });
	return { dir, program, told: () => fs.readFileSync(path.join(dir, "told"), "utf8") };
}

test("a view is opened with a key that nobody keeps, and begins with zeros", async (t) => {
	const { dir, program, told } = makeCryptsetup(t);
	const encryption = cryptsetup(program, dir);
	await encryption.close("name");
	await encryption.open("/pool/volatile-dirty.img", "name");
	t.is(told(), "--key-file=/dev/urandom --cipher=aes-xts-plain64 --type=plain -- open /pool/volatile-dirty.img name\n");
	t.deepEqual(fs.readFileSync(path.join(dir, "name")), Buffer.alloc(65536));
	await encryption.close("name");
	t.regex(told(), /\n-- close name\n$/);
});

test("what cryptsetup says is passed on, and where it is not installed that is said", async (t) => {
	const { dir, program } = makeCryptsetup(t, "echo 'no such device' >&2; exit 4");
	await t.throwsAsync(cryptsetup(program, dir).open("/pool/x.img", "name"), { message: `${program}: no such device` });
	await t.throwsAsync(cryptsetup(path.join(dir, "none"), dir).open("/pool/x.img", "name"), { message: /is not installed/ });
	const wordy = makeCryptsetup(t, "printf 'Device x is busy.\\n\\n Try later.\\r\\n' >&2; exit 5");
	const message = `${wordy.program}: Device x is busy.; Try later.`;
	await t.throwsAsync(cryptsetup(wordy.program, wordy.dir).open("/pool/x.img", "name"), { message }, "in one line");
	const lost = makeCryptsetup(t);
	await t.throwsAsync(cryptsetup(lost.program, path.join(lost.dir, "none")).open("/pool/x.img", "name"), {
		message: /cannot write to the encrypted \/pool\/x\.img/,
	});
});
