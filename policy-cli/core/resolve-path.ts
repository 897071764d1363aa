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
		const known = this.known.get(path);
		if (known !== undefined) return known;
		if (links > MAX_LINKS) throw { code: "ELOOP", operation: "readlink", path };
		if (path.length > MAX_PATH) throw { code: "ENAMETOOLONG", operation: "readlink", path: `${path.slice(0, 80)}...` };
		const slash = path.lastIndexOf("/");
		const resolved = this.step(this.follow(path.slice(0, slash), links), path.slice(slash + 1), links);
		this.known.set(path, resolved);
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
