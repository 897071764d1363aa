// Fetches the upstream tarball of a Debian source package through apt, without changing anything of the system.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { MissingToolError, run, succeeds } from "./tools.mjs";

/** The release whose packages these are; a stable release keeps its upstream versions. */
const RELEASE = "trixie";
const OTHERWISE = "install the development files of QuickJS, or let QUICKJS_DIR name a folder with libquickjs.a and quickjs.h";
const SOURCE_LISTS = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];

/**
 * Unpacks an upstream tarball into `home`. `source`: name of the package, file name and SHA-256 of the tarball.
 * Throws MissingToolError without apt, its sources, or the network; Error for a tarball that is not the one we know.
 */
export function fetchDebianSource({ name, tarball, sha256 }, home) {
	const work = `${home}.fetch`;
	fs.rmSync(work, { recursive: true, force: true });
	fs.mkdirSync(work, { recursive: true });
	try {
		download(name, work);
		const file = path.join(work, tarball);
		if (!fs.existsSync(file)) throw new Error(`apt has another ${name} in ${RELEASE} than ${tarball}: update the pinned version`);
		const found = createHash("sha256").update(fs.readFileSync(file)).digest("hex");
		if (found !== sha256) throw new Error(`${tarball} has SHA-256 ${found}, want ${sha256}: it is not used`);
		fs.mkdirSync(path.join(work, "source"));
		run("tar", ["-xf", file, "-C", path.join(work, "source"), "--strip-components=1"]);
		fs.renameSync(path.join(work, "source"), home);
	} finally {
		fs.rmSync(work, { recursive: true, force: true });
	}
}

/** Leaves the files of a source package in `work`, by an apt with a state of its own. */
function download(name, work) {
	if (!succeeds("apt-get", ["--version"]))
		throw new MissingToolError(`there is no apt to fetch the source of ${name} with: ${OTHERWISE}`);
	for (const dir of ["state/lists/partial", "cache/archives/partial", "parts"])
		fs.mkdirSync(path.join(work, dir), { recursive: true });
	fs.writeFileSync(path.join(work, "parts/debian.sources"), deriveSourceList());
	const settings = {
		"Dir::State": path.join(work, "state"),
		"Dir::Cache": path.join(work, "cache"),
		"Dir::Etc::SourceList": "/dev/null",
		"Dir::Etc::SourceParts": path.join(work, "parts"),
		"APT::Sandbox::User": "",
		"APT::Get::AllowUnauthenticated": "false",
	};
	const apt = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
	try {
		run("apt-get", [...apt, "--quiet=2", "--error-on=any", "update"], { cwd: work });
		run("apt-get", [...apt, "--quiet=2", "source", "--download-only", name], { cwd: work });
	} catch (error) {
		throw new MissingToolError(`apt cannot fetch the source of ${name}: ${OTHERWISE}\n${error.message}`);
	}
}

/** The machine's own Debian archive, but for sources, and of our release: so no host is named here. */
function deriveSourceList() {
	const file = SOURCE_LISTS.find((name) => fs.existsSync(name) && /debian/.test(fs.readFileSync(name, "utf8")));
	if (file === undefined) throw new MissingToolError(`none of ${SOURCE_LISTS.join(", ")} names a Debian archive: ${OTHERWISE}`);
	const text = fs.readFileSync(file, "utf8");
	const uri = /^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s*)?)(\S+\/debian\/?)(?:\s|$)/m.exec(text)?.[1];
	if (uri === undefined) throw new MissingToolError(`${file} names no Debian archive: ${OTHERWISE}`);
	const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
	return `Types: deb-src\nURIs: ${uri}\nSuites: ${RELEASE}\nComponents: main\nSigned-By: ${keys}\n`;
}
