// A full disk and a read-only one, with the built daemon: the caller is told, nothing is changed, and later all works again (issue 3).
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { House } from "./house.ts";

const EXAMPLE = fs.readFileSync("examples/qubes.xml", "utf8");
const NOT_SAVED = /^2\0QubesException\0\0not changed, as it cannot be saved: cannot write [^\0]*qubes\.xml: ([^\0]*)\0$/;

/** A daemon whose store is on a small disk of its own, which only it and its children see. */
class SmallDisk {
	readonly house: House;

	private constructor(house: House) {
		this.house = house;
	}

	static async open(t: ExecutionContext): Promise<SmallDisk> {
		const house = House.prepare(t, EXAMPLE);
		fs.renameSync(house.path("qubes.xml"), house.path("given.xml"));
		fs.mkdirSync(house.path("disk"));
		fs.symlinkSync("disk/qubes.xml", house.path("qubes.xml"));
		const script = 'mount -t tmpfs -o size=128k none "$1/disk" && cp "$1/given.xml" "$1/disk/qubes.xml" && shift && exec "$@"';
		const unshare = ["unshare", "--mount", ...(process.geteuid?.() === 0 ? [] : ["--map-root-user"])];
		house.wrapper = [...unshare, "sh", "-c", script, "sh", house.dir];
		await house.start();
		return new SmallDisk(house);
	}

	/** The path of a file on it, as we see it. */
	path(name: string): string {
		return path.join(`/proc/${this.house.pid}/root`, this.house.path(`disk/${name}`));
	}

	store(): string {
		return fs.readFileSync(this.path("qubes.xml"), "utf8");
	}

	fill(): void {
		const file = fs.openSync(this.path("filler"), "w");
		try {
			for (;;) fs.writeSync(file, Buffer.alloc(4096, "x"));
		} catch {
			// Now it is full.
		} finally {
			fs.closeSync(file);
		}
	}

	free(): void {
		fs.rmSync(this.path("filler"));
	}

	/** Mounts it anew with an option, `ro` or `rw`. */
	remount(t: ExecutionContext, option: string): void {
		const user = process.geteuid?.() === 0 ? [] : ["--user", "--preserve-credentials"];
		const enter = [...user, "--mount", "--target", String(this.house.pid)];
		const command = ["mount", "-o", `remount,${option}`, this.house.path("disk")];
		const { status, stderr } = spawnSync("nsenter", [...enter, ...command], { encoding: "utf8" });
		t.is(status, 0, stderr);
	}

	/** A call of dom0; what comes back. */
	call(destination: string, method: string, payload = ""): Promise<string> {
		return this.house.call(`${method} dom0 name ${destination}\0${payload}`);
	}

	/** What clients see of all qubes and of the system. */
	async everything(): Promise<string[]> {
		return everything((destination, method) => this.call(destination, method));
	}
}

async function everything(call: (destination: string, method: string) => Promise<string>): Promise<string[]> {
	const list = await call("dom0", "admin.vm.List");
	const names = list
		.slice(2)
		.split("\n")
		.flatMap((line) => (line === "" ? [] : [line.split(" ")[0] as string]));
	const seen = [list, await call("dom0", "admin.property.GetAll"), await call("dom0", "admin.label.List")];
	for (const name of names) {
		for (const method of ["property.GetAll", "feature.List", "tag.List", "device.block.Assigned", "volume.List"])
			seen.push(`${name} ${method} ${await call(name, `admin.vm.${method}`)}`);
	}
	return seen;
}

/** Calls that each change something else. */
const CHANGES = [
	["work", "admin.vm.feature.Set+x", "1"],
	["work", "admin.vm.feature.Set+internal", "yes"],
	["dom0", "admin.vm.feature.Remove+service.cups", ""],
	["work", "admin.vm.property.Set+netvm", ""],
	["dom0", "admin.property.Set+clockvm", ""],
	["work", "admin.vm.tag.Set+x", ""],
	["work", "admin.vm.device.block.Assign+dom0+sda", "mode='required'"],
	["dom0", "admin.label.Create+mine", "0x123456"],
	["dom0", "admin.vm.Create.AppVM+fedora-42", "name=new label=red"],
	["vault", "admin.vm.Remove", ""],
] as const;

for (const [title, refuse, allow, reason] of [
	["on a full disk", (disk: SmallDisk) => disk.fill(), (disk: SmallDisk) => disk.free(), "the disk is full: make room"],
	[
		"on a disk that is read-only",
		(disk: SmallDisk, t: ExecutionContext) => disk.remount(t, "ro"),
		(disk: SmallDisk, t: ExecutionContext) => disk.remount(t, "rw"),
		"the file system is read-only: mount it for writing",
	],
] as const) {
	test(`${title} each change is refused with the reason, and nothing is changed; later each is done and stored`, async (t) => {
		const disk = await SmallDisk.open(t);
		const [before, store] = [await disk.everything(), disk.store()];
		refuse(disk, t);
		for (const [destination, method, payload] of CHANGES) {
			const reply = await disk.call(destination, method, payload);
			t.is(NOT_SAVED.exec(reply)?.[1], reason, `${method}: ${reply}`);
			t.deepEqual(await disk.everything(), before, method);
			t.is(disk.store(), store);
		}
		t.is(disk.house.logged.match(/cannot write/g)?.length, CHANGES.length, "logged once each");
		allow(disk, t);
		for (const [destination, method, payload] of CHANGES) t.is(await disk.call(destination, method, payload), "0\0", method);
		await expectStored(t, disk);
	});
}

/** A daemon that reads the file shows the same as the one that wrote it. */
async function expectStored(t: ExecutionContext, disk: SmallDisk): Promise<void> {
	const now = await disk.everything();
	const other = await House.open(t, { store: disk.store() });
	t.deepEqual(await everything((destination, method) => other.call(`${method} dom0 name ${destination}\0`)), now);
}

test("who listens to events ends with the right picture when changes could not be saved", async (t) => {
	const disk = await SmallDisk.open(t);
	const listener = await disk.house.listen("admin.Events+ dom0 name dom0\0");
	disk.fill();
	for (const [destination, method, payload] of CHANGES) t.regex(await disk.call(destination, method, payload), NOT_SAVED);
	disk.free();
	t.is(await disk.call("work", "admin.vm.tag.Set+last"), "0\0");
	await listener.until(/domain-tag-add:last/);
	const events = listener.received();
	for (const [done, undone] of [
		["domain-feature-set:x\0", "domain-feature-delete:x\0"],
		["domain-feature-delete:service.cups\0", "domain-feature-set:service.cups\0feature\0service.cups\0value\x001\0"],
		["property-set:netvm\0name\0netvm\0newvalue\0None\0oldvalue\0sys-net\0", "property-reset:netvm\0"],
		["property-set:clockvm\0name\0clockvm\0newvalue\0None\0", "property-set:clockvm\0name\0clockvm\0newvalue\0sys-net\0"],
		["domain-tag-add:x\0", "domain-tag-delete:x\0"],
		["device-assign:block\0", "device-unassign:block\0"],
		["domain-add\0vm\0new\0", "domain-delete\0vm\0new\0"],
		["domain-delete\0vm\0vault\0", "domain-add\0vm\0vault\0"],
	] as const) {
		t.true(events.includes(done), done);
		t.true(events.lastIndexOf(undone) > events.lastIndexOf(done), `${undone} behind ${done}`);
	}
	listener.close();
});

test("of a crowd that changes things while the disk is full for a while, each is answered as it stands in the file", async (t) => {
	const disk = await SmallDisk.open(t);
	disk.fill();
	const replies = new Map<string, string>();
	const client = async (client: number): Promise<void> => {
		for (let n = 0; n < 10; n++) {
			const name = `c${client}-${n}`;
			replies.set(name, await disk.call(client % 2 === 0 ? "work" : "vault", `admin.vm.feature.Set+${name}`, "1"));
			if (client === 0 && n === 4) disk.free();
		}
	};
	await Promise.all(Array.from({ length: 30 }, (_, n) => client(n)));
	const saved = [...replies].filter(([, reply]) => reply === "0\0").map(([name]) => name);
	t.true(saved.length > 0 && saved.length < replies.size, `${saved.length} of ${replies.size}`);
	for (const [, reply] of replies) if (reply !== "0\0") t.regex(reply, NOT_SAVED);
	const stored = [...disk.store().matchAll(/<feature name="(c[\d-]+)">/g)].map(([, name]) => name as string);
	t.deepEqual(stored.sort(), saved.sort());
	await expectStored(t, disk);
});
