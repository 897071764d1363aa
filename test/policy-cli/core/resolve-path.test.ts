import test from "ava";
import { isFileError } from "../../../policy-cli/core/files.ts";
import { PathResolver } from "../../../policy-cli/core/resolve-path.ts";
import { MemoryFiles, type Tree } from "./memory-files.ts";

const TREE: Tree = {
	"/etc/p/file": "",
	"/etc/p/dir": "<dir>",
	"/etc/p/to-file": { link: "file" },
	"/etc/p/to-far": { link: "/far/away" },
	"/etc/p/to-up": { link: "../q" },
	"/etc/p/to-link": { link: "to-far/x" },
	"/etc/p/to-nothing": { link: "gone/x" },
	"/etc/p/to-dot": { link: "." },
	"/etc/p/to-root": { link: "/" },
	"/far/away/x": "",
	"/etc/q/y": "",
};

for (const [path, wanted] of [
	["/", "/"],
	["//", "/"],
	["/..", "/"],
	["/etc/p/file", "/etc/p/file"],
	["/etc/p/file/", "/etc/p/file"],
	["//etc//p/./file/.", "/etc/p/file"],
	["/etc/p/dir/../file", "/etc/p/file"],
	["/etc/p/gone/../file", "/etc/p/file"],
	["/etc/p/file/../dir", "/etc/p/dir"],
	["/etc/p/gone/x/y", "/etc/p/gone/x/y"],
	["/etc/../../../etc", "/etc"],
	["/etc/p/to-file", "/etc/p/file"],
	["/etc/p/to-far", "/far/away"],
	["/etc/p/to-far/x", "/far/away/x"],
	["/etc/p/to-far/../x", "/far/x"],
	["/etc/p/to-up/y", "/etc/q/y"],
	["/etc/p/to-up/..", "/etc"],
	["/etc/p/to-link", "/far/away/x"],
	["/etc/p/to-nothing", "/etc/p/gone/x"],
	["/etc/p/to-nothing/../z", "/etc/p/gone/z"],
	["/etc/p/to-dot/to-dot/file", "/etc/p/file"],
	["/etc/p/to-root", "/"],
	["/etc/p/to-root/etc/q", "/etc/q"],
] as const) {
	test(`${path} is ${wanted}`, (t) => t.is(new PathResolver(new MemoryFiles(TREE)).resolve(path), wanted));
}

test("each name is looked at once", (t) => {
	const files = new MemoryFiles(TREE);
	const paths = new PathResolver(files);
	for (const name of ["file", "dir", "file", "to-far/x", "to-far/x"]) paths.resolve(`/etc/p/${name}`);
	t.deepEqual([...new Set(files.calls)], files.calls);
});

function chain(links: number): Tree {
	const tree: { [path: string]: { link: string } } = {};
	for (let i = 0; i < links; i++) tree[`/l${i}`] = { link: i === links - 1 ? "/end" : `l${i + 1}` };
	return tree;
}

function codeOf(tree: Tree, path: string): string {
	try {
		new PathResolver(new MemoryFiles(tree)).resolve(path);
	} catch (error) {
		return isFileError(error) ? error.code : String(error);
	}
	return "none";
}

test("forty links are followed, forty-one are a loop", (t) => {
	t.is(new PathResolver(new MemoryFiles(chain(40))).resolve("/l0"), "/end");
	t.is(codeOf(chain(41), "/l0"), "ELOOP");
});
test("links that go round are a loop", (t) => {
	t.is(codeOf({ "/l": { link: "l" } }, "/l"), "ELOOP");
	t.is(codeOf({ "/l": { link: "m" }, "/m": { link: "l" } }, "/m/x"), "ELOOP");
	t.is(codeOf({ "/l": { link: "l/x" } }, "/l"), "ELOOP");
});
test("a path that no system takes is refused", (t) => {
	t.is(codeOf({}, "/x".repeat(3000)), "ENAMETOOLONG");
	t.is(codeOf({}, `/${"x".repeat(256)}`), "ENAMETOOLONG");
	t.is(codeOf({}, `/${"x".repeat(255)}`), "none");
});
