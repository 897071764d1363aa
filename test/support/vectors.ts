import fs from "node:fs";
import path from "node:path";

/** One conformance case: see the README beside the vectors. */
export interface Vector {
	readonly id: string;
	readonly files: { readonly [path: string]: string | { readonly b64: string } | { readonly dir: true } };
	readonly system_info: unknown;
	readonly request: {
		readonly source: string;
		readonly target: string;
		readonly service: string;
		readonly argument: string;
		readonly requested_source: string | null;
	};
	readonly expect: { readonly [key: string]: unknown };
}

const BESIDE_US = path.resolve("../shared/vectors/policy");

/** Where the conformance vectors lie: where QUBES_VECTORS says, else beside the repository, else in it. */
export const VECTORS_DIR =
	process.env["QUBES_VECTORS"] ?? (fs.existsSync(BESIDE_US) ? BESIDE_US : path.resolve("test/vectors/policy"));

/** The files of vectors, by their name without suffix. */
export function vectorFiles(): string[] {
	const names = fs.readdirSync(VECTORS_DIR, { recursive: true, encoding: "utf8" });
	return names.filter((name) => name.endsWith(".jsonl")).sort();
}

/** The cases of one file. */
export function readVectors(file: string): Vector[] {
	const lines = fs.readFileSync(path.join(VECTORS_DIR, file), "utf8").split("\n");
	return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Vector);
}

/** Writes the files of a case below `root`, which must not exist. */
export function writeVector(root: string, vector: Vector): void {
	for (const dir of ["policy.d", "run/policy.d", "compat"]) fs.mkdirSync(path.join(root, dir), { recursive: true });
	for (const [name, content] of Object.entries(vector.files)) {
		const file = path.join(root, name);
		if (typeof content === "object" && "dir" in content) {
			fs.mkdirSync(file, { recursive: true });
			continue;
		}
		fs.mkdirSync(path.dirname(file), { recursive: true });
		const bytes = typeof content === "string" ? content.replaceAll("%{ROOT}", root) : Buffer.from(content.b64, "base64");
		fs.writeFileSync(file, bytes);
	}
	fs.writeFileSync(path.join(root, "system-info.json"), JSON.stringify(vector.system_info));
}

/** The command line that puts a case written below `root` to the program. */
export function vectorArguments(root: string, { request }: Vector): string[] {
	const args = ["--json", "--path", `${root}/run/policy.d`, "--path", `${root}/policy.d`, "--legacy-dir", `${root}/compat`];
	args.push("--system-info", `${root}/system-info.json`);
	if (request.requested_source !== null) args.push("--requested-source", request.requested_source);
	return [...args, "--", request.source, request.target, request.service + request.argument];
}

/** What is different between the right answer and the one given; empty if nothing. */
export function compareAnswer(root: string, vector: Vector, status: number, output: string): string[] {
	const wrong: string[] = [];
	const answer = JSON.parse(output, (_key, value) =>
		typeof value === "string" && value.startsWith(`${root}/`) ? value.slice(root.length + 1) : value,
	) as { [key: string]: unknown };
	for (const [key, wanted] of Object.entries(vector.expect)) {
		const given = answer[key];
		const same =
			key === "error_at" ? isSamePlace(wanted, given) : JSON.stringify(sorted(wanted)) === JSON.stringify(sorted(given));
		if (!same) wrong.push(`${vector.id}: ${key}: want ${JSON.stringify(wanted)}, got ${JSON.stringify(given)}`);
	}
	const wantedStatus = vector.expect["decision"] === "allow" ? 0 : 1;
	if (status !== wantedStatus) wrong.push(`${vector.id}: status: want ${wantedStatus}, got ${status}`);
	return wrong;
}

/** Where a file as a whole is bad (line null), any line is right. */
function isSamePlace(wanted: unknown, given: unknown): boolean {
	const [a, b] = [wanted as { file: string; line: number | null }, given as { file: string; line: number | null } | null];
	return a.file === b?.file && (a.line === null || a.line === b.line);
}

function sorted(value: unknown): unknown {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
	return Object.fromEntries(Object.entries(value).sort());
}
