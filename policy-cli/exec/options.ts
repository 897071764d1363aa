import { escapeControls } from "../core/errors.ts";

/** How qrexec-policy-exec is called (spec 7). Paths are absolute or relative to the working directory. */
export interface Options {
	readonly assumeYes: boolean;
	readonly justEvaluate: boolean;
	readonly json: boolean;
	readonly explain: boolean;
	readonly dirs: readonly string[];
	readonly legacyDir: string;
	/** A file with the system information, `-` for standard input; null asks qubesd. */
	readonly systemInfo: string | null;
	readonly requestedSource: string | null;
	readonly qubesdInternalSocket: string;
	readonly qubesdSocket: string;
	readonly rpcDir: string;
	/** Null means the usual place of the system. */
	readonly qrexecClient: string | null;
	readonly logSocket: string;
	/** For each step that waits for somebody else, but not for the user. */
	readonly timeoutSeconds: number;
}

/** What the command line asks for. */
export type Invocation =
	| { readonly kind: "help" | "version" }
	| { readonly kind: "usage-error"; readonly message: string }
	| { readonly kind: "evaluate"; readonly options: Options; readonly words: readonly string[] };

interface Option {
	readonly flag: string;
	/** What follows it; null is a switch. */
	readonly value: string | null;
	readonly help: string;
	/** What counts where it is not given; what says "the usual" in words is found out where it is used. */
	readonly usual?: string;
	/** The option that it is another name of. */
	readonly means?: string;
}

/** The one table of options: parsing, help text and README follow it. */
const OPTIONS: readonly Option[] = [
	{ flag: "--help", value: null, help: "print this and exit" },
	{ flag: "--version", value: null, help: "print the version and exit" },
	{ flag: "--assume-yes-for-ask", value: null, help: "take an ask as allowed, for the target as it was called" },
	{ flag: "--just-evaluate", value: null, help: "only say by the exit status whether the policy allows it" },
	{ flag: "--path", value: "DIR", help: "policy directory instead of the system's; repeat for more, first ones first" },
	{ flag: "--policy-dir", value: "DIR", help: "the same as --path", means: "--path" },
	{ flag: "--legacy-dir", value: "DIR", help: "directory that !compat-4.0 includes", usual: "/etc/qubes-rpc/policy" },
	{ flag: "--system-info", value: "FILE", help: "take the system information from a file (-: standard input), not from qubesd" },
	{ flag: "--requested-source", value: "QUBE", help: "the RemoteVM for which SOURCE, its relay, calls" },
	{
		flag: "--qubesd-internal-socket",
		value: "PATH",
		help: "where qubesd tells who is who",
		usual: "/var/run/qubesd.internal.sock",
	},
	{
		flag: "--qubesd-socket",
		value: "PATH",
		help: "where qubesd starts qubes, for five arguments",
		usual: "/var/run/qubesd.sock",
	},
	{ flag: "--rpc-dir", value: "DIR", help: "directory of the policy.Ask and policy.Notify sockets", usual: "/etc/qubes-rpc" },
	{ flag: "--qrexec-client", value: "PATH", help: "program that reaches other qubes" },
	{ flag: "--log-socket", value: "PATH", help: "system log", usual: "/dev/log" },
	{ flag: "--timeout", value: "SECONDS", help: "how long to wait for anybody but the user, 1 to 3600", usual: "5" },
	{ flag: "--json", value: null, help: "print the decision as one JSON object; ask, run, notify and log nothing" },
	{ flag: "--explain", value: null, help: "print the decision and why; ask, run, notify and log nothing" },
];

/** What counts where an option is not given: made once, when the program is loaded into the executable. */
const USUAL: { [flag: string]: string | undefined } = {};
for (const { flag, usual } of OPTIONS) USUAL[flag] = usual;

const USAGE = `usage: qrexec-policy-exec [options] SOURCE TARGET SERVICE[+ARGUMENT]
       qrexec-policy-exec [options] DOMAIN-ID SOURCE TARGET SERVICE[+ARGUMENT] PROCESS-IDENT
`;

/** The text for standard error when the command line is wrong. */
export function usageError(message: string): string {
	return `${USAGE}qrexec-policy-exec: error: ${escapeControls(message)}\n`;
}

/** The text of `--help`. */
export function helpText(): string {
	let text = `${USAGE}
Decides one qrexec call by the policy of this system.
Exit status: 0 allowed, 1 denied (whatever goes wrong is denied), 2 wrong usage; with five arguments that of the client.

options:
`;
	for (const { flag, value, help, usual } of OPTIONS) {
		const name = (flag === "--help" ? "-h, --help" : flag) + (value === null ? "" : ` ${value}`);
		text += `  ${name.padEnd(32)} ${help}${usual === undefined ? "" : ` [${usual}]`}\n`;
	}
	return text;
}

/** Reads the command line: long options may be shortened and stand anywhere, `--` ends them (spec 7). */
export function parseArguments(args: readonly string[]): Invocation {
	const given: { [flag: string]: string[] | undefined } = {};
	const words: string[] = [];
	for (let i = 0; i < args.length; i++) {
		const arg = args[i] as string;
		if (arg === "--") {
			words.push(...args.slice(i + 1));
			break;
		}
		if (arg === "-h") return { kind: "help" };
		if (arg.charAt(0) !== "-" || arg === "-") {
			words.push(arg);
			continue;
		}
		const read = readOption(arg, args[i + 1]);
		if (typeof read === "string") return { kind: "usage-error", message: read };
		const { option, value, isNextUsed } = read;
		if (option.flag === "--help") return { kind: "help" };
		if (option.flag === "--version") return { kind: "version" };
		if (isNextUsed) i++;
		const flag = option.means ?? option.flag;
		const values = given[flag];
		if (values === undefined) given[flag] = [value];
		else values.push(value);
	}
	if (words.length !== 3 && words.length !== 5) {
		return { kind: "usage-error", message: `want 3 or 5 arguments, not ${words.length}` };
	}
	return readOptions(given, words);
}

/** An option with its value, which may be the next argument; what is wrong where it is none. The value of a switch is empty. */
function readOption(arg: string, next: string | undefined): { option: Option; value: string; isNextUsed: boolean } | string {
	const equals = arg.indexOf("=");
	const option = findOption(equals < 0 ? arg : arg.slice(0, equals));
	if (typeof option === "string") return option;
	if (option.value === null) {
		return equals < 0 ? { option, value: "", isNextUsed: false } : `${option.flag} takes no value`;
	}
	if (equals >= 0) return { option, value: arg.slice(equals + 1), isNextUsed: false };
	if (next === undefined || (next.charAt(0) === "-" && next !== "-")) return `${option.flag} wants ${option.value}`;
	return { option, value: next, isNextUsed: true };
}

/** The option of this name, or the only one that starts so; else what is wrong. */
function findOption(name: string): Option | string {
	for (const option of OPTIONS) if (option.flag === name) return option;
	const matches = name.length < 3 ? [] : OPTIONS.filter(({ flag }) => flag.startsWith(name));
	const [first, ...others] = matches;
	if (first === undefined) return `unknown option ${name}`;
	if (others.every(({ means }) => means === first.flag)) return first;
	return `ambiguous option ${name}: ${matches.map(({ flag }) => flag).join(" or ")}`;
}

function readOptions(given: { [flag: string]: string[] | undefined }, words: readonly string[]): Invocation {
	const last = (flag: string): string | null => given[flag]?.at(-1) ?? null;
	const usual = (flag: string): string => last(flag) ?? (USUAL[flag] as string);
	const timeout = usual("--timeout");
	const timeoutSeconds = Number(timeout);
	const isWhole = timeoutSeconds === Math.floor(timeoutSeconds) && String(timeoutSeconds) === timeout;
	if (!isWhole || timeoutSeconds < 1 || timeoutSeconds > 3600) {
		return { kind: "usage-error", message: `--timeout: want a whole number of seconds, 1 to 3600, not ${timeout}` };
	}
	const options: Options = {
		assumeYes: last("--assume-yes-for-ask") !== null,
		justEvaluate: last("--just-evaluate") !== null,
		json: last("--json") !== null,
		explain: last("--explain") !== null,
		dirs: given["--path"] ?? ["/run/qubes/policy.d", "/etc/qubes/policy.d"],
		legacyDir: usual("--legacy-dir"),
		systemInfo: last("--system-info"),
		requestedSource: last("--requested-source"),
		qubesdInternalSocket: usual("--qubesd-internal-socket"),
		qubesdSocket: usual("--qubesd-socket"),
		rpcDir: usual("--rpc-dir"),
		qrexecClient: last("--qrexec-client"),
		logSocket: usual("--log-socket"),
		timeoutSeconds,
	};
	return { kind: "evaluate", options, words };
}
