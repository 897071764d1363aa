import { type Call, type Request, readCall } from "../core/call.ts";
import { DataError, type Location, PolicyLoadError } from "../core/errors.ts";
import { evaluate } from "../core/evaluate.ts";
import { describeFileError, isFileError } from "../core/files.ts";
import { loadPolicy, type Policy } from "../core/load.ts";
import { type Denial, deny, type Resolution } from "../core/resolution.ts";
import { SystemInfo } from "../core/system-info.ts";
import type { Host } from "../host/host.ts";
import type { Options } from "./options.ts";
import { finishQubesdCall, startQubesdCall } from "./qubesd.ts";

/** Largest `--system-info` file, in bytes. */
const MAX_SYSTEM_INFO_BYTES = 16 << 20;

/** What the policy says, and what was found out on the way. */
export type Decision = (Undecided | Decided) & {
	/** Where the policy is wrong, if it did not load. */
	readonly errorAt: Location | null;
	readonly warnings: readonly string[];
};

/** It did not come as far as the rules. */
interface Undecided {
	readonly resolution: Denial;
	readonly call: null;
	readonly system: SystemInfo | null;
}

interface Decided {
	readonly resolution: Resolution;
	readonly call: Call;
	readonly system: SystemInfo;
}

/**
 * Decides a call (spec 6.1): reads the policy, asks who the qubes are, evaluates. Everything that can be wrong with these becomes a
 * denial; what is thrown besides is a defect of ours.
 */
export function decide(host: Host, options: Options, request: Request): Decision {
	const finishSystemInfo = startSystemInfo(host, options);
	const policy = load(host, options, request.service);
	const answer = finishSystemInfo();
	const system = parseSystem(host, answer);
	const none = { call: null, system: system instanceof SystemInfo ? system : null, errorAt: null };
	if (policy instanceof PolicyLoadError) {
		// A syntax error is the administrator's business, the user is not told (spec 3.3).
		const resolution = deny(policy.reason, policy.message, { notify: policy.reason !== "syntax-error" });
		return { ...none, resolution, errorAt: policy.at, warnings: [] };
	}
	const warnings = [...policy.warnings];
	if (!(system instanceof SystemInfo)) return { ...none, resolution: system, warnings };
	try {
		const call = readCall(request, system, warnings);
		if ("decision" in call) return { ...none, resolution: call, warnings };
		return { resolution: evaluate(policy.rules, call, system, warnings), call, system, errorAt: null, warnings };
	} catch (error) {
		return { ...none, resolution: denyForData(error), warnings };
	}
}

/** The denial for a DataError; throws everything else again. */
export function denyForData(error: unknown): Denial {
	if (!(error instanceof DataError)) throw error;
	return deny("data-error", error.message, { notify: false });
}

/**
 * Asks for the system information; the function returned waits for it. qubesd works on its answer while the policy is read.
 */
function startSystemInfo(host: Host, options: Options): () => string | Denial {
	const file = options.systemInfo;
	if (file === null) {
		const handle = startQubesdCall(host, options.qubesdInternalSocket, "internal.GetSystemInfo", "dom0");
		return () => {
			const answer = finishQubesdCall(host, handle, options.timeoutSeconds);
			return answer.ok ? answer.data : deny("system-info-error", answer.message, { notify: false });
		};
	}
	return () => {
		try {
			return file === "-" ? host.readInput(MAX_SYSTEM_INFO_BYTES) : host.readText(file, MAX_SYSTEM_INFO_BYTES);
		} catch (error) {
			if (!isFileError(error)) throw error;
			return deny("system-info-error", `--system-info: ${describeFileError(error)}`, { notify: false });
		}
	};
}

function load(host: Host, options: Options, service: string): Policy | PolicyLoadError {
	try {
		const absolute = makeAbsolute.bind(null, host);
		return loadPolicy(host, { dirs: options.dirs.map(absolute), legacyDir: absolute(options.legacyDir) }, service);
	} catch (error) {
		if (error instanceof PolicyLoadError) return error;
		throw error;
	}
}

/** A directory as the loader wants it: absolute, without `.`, doubled and trailing slashes. */
function makeAbsolute(host: Host, dir: string): string {
	if (dir === "") throw new PolicyLoadError("load-error", "a policy directory was given as an empty text: name one", null);
	const isAbsolute = dir.charAt(0) === "/";
	if (isAbsolute && dir.indexOf("//") < 0 && dir.indexOf("/.") < 0 && !dir.endsWith("/")) return dir;
	const cwd = isAbsolute ? "" : host.readLink("/proc/self/cwd");
	// Linux says so of a directory that was removed; there may be another one of this name.
	if (cwd !== null && !cwd.endsWith(" (deleted)")) return `/${`${cwd}/${dir}`.split("/").filter(isNamed).join("/")}`;
	throw new PolicyLoadError("load-error", `cannot tell where ${dir} is: the working directory is not known`, null);
}

function isNamed(component: string): boolean {
	return component !== "" && component !== ".";
}

function parseSystem(host: Host, answer: string | Denial): SystemInfo | Denial {
	if (typeof answer !== "string") return answer;
	try {
		return SystemInfo.from(host.parseJson(answer));
	} catch (error) {
		return denyForData(error);
	}
}
