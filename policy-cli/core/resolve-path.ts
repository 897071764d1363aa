import type { PolicyFiles } from "./files.ts";

/** More symbolic links than this in one path are taken for a loop, as the kernel does. */
const MAX_LINKS = 40;

/**
 * Makes an absolute path canonical (spec 1.6): symbolic links are followed, `.`, doubled and trailing slashes dropped, `..` applied after the
 * links in front of it. What does not exist is kept as it is written.
 *
 * `links` remembers what was asked before. Throws a FileError, `ELOOP` for a loop of links.
 */
export function resolvePath(files: PolicyFiles, path: string, links: Map<string, string | null>): string {
	let resolved = "";
	let followed = 0;
	const pending = path.split("/").reverse();
	while (pending.length > 0) {
		const name = pending.pop() as string;
		if (name === "" || name === ".") continue;
		if (name === "..") {
			resolved = resolved.slice(0, Math.max(0, resolved.lastIndexOf("/")));
			continue;
		}
		const next = `${resolved}/${name}`;
		const link = readLinkOnce(files, next, links);
		if (link === null) {
			resolved = next;
			continue;
		}
		followed++;
		if (followed > MAX_LINKS) throw { code: "ELOOP", operation: "readlink", path: next };
		if (link.charAt(0) === "/") resolved = "";
		const names = link.split("/");
		for (let i = names.length - 1; i >= 0; i--) pending.push(names[i] as string);
	}
	return resolved === "" ? "/" : resolved;
}

function readLinkOnce(files: PolicyFiles, path: string, links: Map<string, string | null>): string | null {
	const known = links.get(path);
	if (known !== undefined) return known;
	const link = files.readLink(path);
	links.set(path, link);
	return link;
}
