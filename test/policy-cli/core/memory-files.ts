import type { FileError, PolicyFiles } from "../../../policy-cli/core/files.ts";
import { type Rows, splitRows } from "../../../policy-cli/core/rows.ts";

/** What lies at a path: the text of a file, or something else. Directories above it need not be named. */
export type Node = string | { readonly link: string } | "<dir>" | "<fifo>" | "<not utf-8>";

export type Tree = { readonly [path: string]: Node };

/** As many links as the kernel follows. */
const MAX_LINKS = 40;

/**
 * A file system in memory that keeps the contract of `policy-cli/host/host.ts`.
 * `failures`: `{"readText /etc/p/x": "EACCES"}` makes that call throw; the path is the one that the loader says.
 */
export class MemoryFiles implements PolicyFiles {
	/** Every call that was made, as `METHOD PATH`. */
	readonly calls: string[] = [];
	private readonly nodes = new Map<string, Node>();
	private readonly failures: { readonly [call: string]: string | undefined };

	constructor(tree: Tree, failures: { readonly [call: string]: string } = {}) {
		this.failures = failures;
		for (const [path, node] of Object.entries(tree)) {
			for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) this.nodes.set(path.slice(0, at), "<dir>");
			this.nodes.set(path, node);
		}
		this.nodes.set("", "<dir>");
	}

	readText(path: string, maxBytes: number): string {
		this.record("readText", "open", path);
		const node = this.nodes.get(this.follow("open", path, true));
		if (node === undefined) throw fail("ENOENT", "open", path);
		if (node === "<not utf-8>") throw fail("EILSEQ", "read", path);
		if (typeof node !== "string" || node === "<dir>" || node === "<fifo>") throw fail("ENOTFILE", "open", path);
		if (Buffer.byteLength(node) > maxBytes) throw fail("EFBIG", "read", path);
		return node;
	}

	readRows(path: string, maxBytes: number): Rows | null {
		return splitRows(this.readText(path, maxBytes));
	}

	listFiles(path: string): string[] {
		this.record("listFiles", "opendir", path);
		const dir = this.follow("opendir", path, true);
		const node = this.nodes.get(dir);
		if (node === undefined) throw fail("ENOENT", "opendir", path);
		if (node !== "<dir>") throw fail("ENOTDIR", "opendir", path);
		const names: string[] = [];
		for (const key of this.nodes.keys()) {
			const name = key.startsWith(`${dir}/`) ? key.slice(dir.length + 1) : "/";
			if (name.indexOf("/") < 0 && this.isFile(key)) names.push(name);
		}
		// In no order, so the worst one: backwards.
		return names.sort().reverse();
	}

	readLink(path: string): string | null {
		this.record("readLink", "readlink", path);
		const node = this.nodes.get(this.follow("readlink", path, false));
		return typeof node === "object" ? node.link : null;
	}

	private isFile(path: string): boolean {
		try {
			const node = this.nodes.get(this.follow("stat", path, true));
			return node !== undefined && node !== "<dir>" && node !== "<fifo>";
		} catch {
			return false;
		}
	}

	private record(method: string, operation: string, path: string): void {
		const call = `${method} ${path}`;
		this.calls.push(call);
		const code = this.failures[call];
		if (code !== undefined) throw fail(code, operation, path);
	}

	/** The real path, as the kernel finds it; `last` tells whether a link at the end is followed too. */
	private follow(operation: string, path: string, last: boolean): string {
		let resolved = "";
		let links = 0;
		const names = path.indexOf("\0") >= 0 ? ["\0"] : path.split("/");
		while (names.length > 0) {
			const name = names.shift() as string;
			if (name === "" || name === ".") continue;
			if (name.length > 255) throw fail("ENAMETOOLONG", operation, path);
			if (name === "..") {
				resolved = resolved.slice(0, Math.max(0, resolved.lastIndexOf("/")));
				continue;
			}
			const next = `${resolved}/${name}`;
			const node = this.nodes.get(next);
			if (typeof node === "object" && (last || names.length > 0)) {
				if (++links > MAX_LINKS) throw fail("ELOOP", operation, path);
				if (node.link.startsWith("/")) resolved = "";
				names.unshift(...node.link.split("/"));
				continue;
			}
			if (names.length > 0 && node !== undefined && node !== "<dir>") {
				if (operation === "readlink") return "/ nothing";
				throw fail("ENOTDIR", operation, path);
			}
			resolved = next;
		}
		return resolved;
	}
}

function fail(code: string, operation: string, path: string): FileError {
	return { code, operation, path };
}
