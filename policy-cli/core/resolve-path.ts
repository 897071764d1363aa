import type { PolicyFiles } from "./files.ts";

/** More symbolic links than this in one path are taken for a loop, as the kernel does. */
const MAX_LINKS = 40;
/** What the kernel takes as a path, in bytes. */
const MAX_PATH = 4095;

/** Makes absolute paths canonical and remembers them, so that each name is looked at once. */
export class PathResolver {
	private readonly files: PolicyFiles;
	private readonly known = new Map<string, string>([["", ""]]);

	constructor(files: PolicyFiles) {
		this.files = files;
	}

	/**
	 * The canonical form of an absolute path (spec 1.6): symbolic links are followed, `.`, doubled and trailing slashes dropped, `..`
	 * applied after the links in front of it. What does not exist is kept as it is written. Throws a FileError, `ELOOP` for a loop.
	 */
	resolve(path: string): string {
		return this.follow(path, 0) || "/";
	}

	/** Like `resolve`, with "" for the root; `links` have been followed so far. */
	private follow(path: string, links: number): string {
		if (links > MAX_LINKS) throw { code: "ELOOP", operation: "readlink", path };
		if (path.length > MAX_PATH) throw { code: "ENAMETOOLONG", operation: "readlink", path: `${path.slice(0, 80)}...` };
		// From the longest part that was looked at before.
		let end = path.length;
		let resolved = this.known.get(path);
		while (resolved === undefined) {
			end = path.lastIndexOf("/", end - 1);
			resolved = this.known.get(path.slice(0, end));
		}
		while (end < path.length) {
			const slash = path.indexOf("/", end + 1);
			const next = slash < 0 ? path.length : slash;
			resolved = this.step(resolved, path.slice(end + 1, next), links);
			end = next;
			this.known.set(path.slice(0, end), resolved);
		}
		return resolved;
	}

	/** Goes from a canonical directory to a name in it. */
	private step(dir: string, name: string, links: number): string {
		if (name === "" || name === ".") return dir;
		if (name === "..") return dir.slice(0, Math.max(0, dir.lastIndexOf("/")));
		const path = `${dir}/${name}`;
		const link = this.files.readLink(path);
		if (link === null) return path;
		return this.follow(link.charAt(0) === "/" ? link : `${dir}/${link}`, links + 1);
	}
}
