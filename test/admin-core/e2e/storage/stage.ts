// The stage of the scenarios of spec/storage-reflink.md section 11 that need the daemon: the built qubesd with its pool `main` on a file system of its own.
// They need root, as those in test/storage-reflink do.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionContext } from "ava";
import { contentOf, make, write } from "../../../storage-reflink/images.ts";
import { KIND_OF, mountedOnce, onFileSystem } from "../../../storage-reflink/scene.ts";
import type { House } from "../house.ts";
import { prepareFurnished } from "../sequences/furnished.ts";

type Body = (t: ExecutionContext, stage: Stage) => Promise<void>;
/** A call and what is answered: the content, or `CLASS: message` of an error. */
export type Exchange = readonly [where: string, method: string, payload: string, reply: string | RegExp];

let count = 0;

/** A scenario on some file systems, by their letters; the daemon is started unless the scenario does that. */
export function scenario(title: string, letters: string, body: Body, { isStarted = true } = {}): void {
	for (const letter of letters) {
		const kind = KIND_OF[letter] as (typeof KIND_OF)[string];
		onFileSystem(`${title} (${kind})`, async (t) => {
			const stage = Stage.prepare(t, mountedOnce(kind as NonNullable<typeof kind>).root);
			if (isStarted) await stage.house.start();
			await body(t, stage);
		});
	}
}

export class Stage {
	readonly house: House;
	/** Where the file system is that the pool is on. */
	readonly root: string;
	/** The directory of the pool `main`. */
	readonly images: string;
	private readonly t: ExecutionContext;

	private constructor(t: ExecutionContext, root: string, house: House, images: string) {
		this.t = t;
		this.root = root;
		this.house = house;
		this.images = images;
	}

	/** On a file system, without a daemon. */
	static prepare(t: ExecutionContext, root: string, options: readonly string[] = []): Stage {
		const images = path.join(root, `daemon-${++count}`);
		return new Stage(t, root, prepareFurnished(t, options, images), images);
	}

	/** A call; `where` may have the source in front, as `work>dom0`. The content of the reply, `CLASS: message` of an error, or nothing at all. */
	async call(where: string, method: string, payload = ""): Promise<string> {
		const [destination = "", source = "dom0"] = where.split(">").reverse();
		const header = method.includes("+") ? method : `${method}+`;
		const socket = method.startsWith("internal.") ? "internal.sock" : "qubesd.sock";
		const reply = await this.house.call(Buffer.from(`${header} ${source} name ${destination}\0${payload}`), socket);
		const text = Buffer.from(reply, "latin1").toString("utf8");
		if (text.startsWith("0\0")) return text.slice(2);
		const [, kind, , ...message] = text.split("\0");
		return kind === undefined ? "no reply" : `${kind}: ${message.slice(0, -1).join("|")}`;
	}

	/** Makes calls in their order. */
	async expect(...calls: readonly Exchange[]): Promise<void> {
		for (const [where, method, payload, wanted] of calls) {
			const given = await this.call(where, method, payload);
			if (typeof wanted === "string") this.t.is(given, wanted, `${where}: ${method} <${payload}>`);
			else this.t.regex(given, wanted, `${where}: ${method} <${payload}>`);
		}
	}

	/** Start, write a letter into the private image, stop. */
	async run(qube: string, letter: string, volume = "private"): Promise<void> {
		await this.expect([qube, "admin.vm.Start", "", ""]);
		write(this.file(this.vid(qube, volume), "-dirty.img"), letter);
		await this.expect([qube, "admin.vm.Shutdown+wait", "", ""]);
	}

	vid(qube: string, volume: string): string {
		return `${qube === "base" ? "vm-templates" : "appvms"}/${qube}/${volume}`;
	}

	file(vid: string, suffix = ".img"): string {
		return path.join(this.images, `${vid}${suffix}`);
	}

	/** The letter of an image of a qube. */
	read(qube: string, volume = "private", suffix = ".img"): string {
		return contentOf(fs.readFileSync(this.file(this.vid(qube, volume), suffix)));
	}

	write(qube: string, letter: string, volume = "private", suffix = ".img"): void {
		write(this.file(this.vid(qube, volume), suffix), letter);
	}

	make(name: string, letter: string, size?: number, mode?: number): void {
		fs.mkdirSync(path.dirname(path.join(this.images, name)), { recursive: true });
		make(path.join(this.images, name), letter, size, mode);
	}

	/** The files of a volume or a qube but for those that are made and removed in the background. */
	names(qube: string, volume = ""): string[] {
		const folder = path.dirname(this.file(this.vid(qube, "x")));
		const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
		return names.filter((name) => name.startsWith(volume) && !/-precache\.img|~/.test(name)).sort();
	}

	/** What of each file of the pool would change if anything was done to it, but for what goes on in the background. */
	tree(): string[] {
		const names = fs.existsSync(this.images) ? fs.readdirSync(this.images, { recursive: true, encoding: "utf8" }).sort() : [];
		const lasting = names.filter((name) => !/-precache\.img|~/.test(name));
		return lasting.map((name) => {
			const { ino, size, mtimeNs, mode } = fs.statSync(path.join(this.images, name), { bigint: true });
			return fs.statSync(path.join(this.images, name)).isFile() ? `${name} ${ino} ${size} ${mtimeNs} ${mode}` : name;
		});
	}

	/** The revisions of a volume with their contents, when those that are too many have been removed in the background. */
	async revisions(qube: string, volume = "private"): Promise<{ [id: string]: string }> {
		const keep = Number(await this.info(qube, volume, "revisions_to_keep"));
		const list = async (): Promise<string[]> =>
			(await this.call(qube, `admin.vm.volume.ListSnapshots+${volume}`)).split("\n").filter((id) => id !== "");
		let ids = await list();
		for (let tries = 0; keep >= 0 && ids.length > keep && tries < 300; tries++) {
			await sleep(10);
			ids = await list();
		}
		const names = this.names(qube, `${volume}.img.`);
		const contentOfRevision = (id: string): string => {
			const name = names.find((one) => one.startsWith(`${volume}.img.${id}@`));
			return name === undefined ? "not there" : this.read(qube, volume, name.slice(volume.length));
		};
		return Object.fromEntries(ids.map((id) => [id, contentOfRevision(id)]));
	}

	/** One of the lines of Info. */
	async info(qube: string, volume: string, key: string): Promise<string | undefined> {
		const lines = (await this.call(qube, `admin.vm.volume.Info+${volume}`)).split("\n");
		return lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
	}

	/** Ends the daemon as a crash does and starts it again. */
	async crash(): Promise<void> {
		await this.house.stop("SIGKILL");
		// What the house takes for the sign that a daemon listens.
		fs.rmSync(this.house.path("internal.sock"));
		await this.house.start();
	}

	async restart(): Promise<void> {
		await this.house.stop();
		await this.house.start();
	}

	/** Changes the store while no daemon runs. */
	edit(change: (store: string) => string): void {
		fs.writeFileSync(this.house.path("qubes.xml"), change(this.house.store()));
	}
}
