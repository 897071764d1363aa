/**
 * What all commands share: how one is declared, and how `run` goes from a command line to an exit status (spec 10.1).
 *
 * `run` writes options out (expand-arguments.ts), has yargs parse them, checks the words (positionals.ts), then runs the action of the
 * command; what it throws becomes a message and a status. Nothing happens at import.
 */
import type { Readable } from "node:stream";
import yargs from "yargs";
import type { Qubesd } from "./client.ts";
import { COMPLETE_WORD, complete, completionScript } from "./completion.ts";
import { type Connection, openConnection } from "./connection.ts";
import { DaemonError, LocalError, RemoteError, UsageError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import { expandArguments } from "./expand-arguments.ts";
import { COMMON_OPTIONS, type OptionTable, type Values } from "./options.ts";
import { checkPositionals, describePositionals, type Positionals } from "./positionals.ts";
import { Progress } from "./progress.ts";

declare const QUBES_CORE_VERSION: string;

/** The outside of a command, so that tests call it in process. */
export interface Io {
	readonly stdout: { write(text: string): unknown };
	readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
	readonly stdin: Readable;
	readonly env: { readonly [name: string]: string | undefined };
	/** Folder with the programs of this build, NAME.mjs each. */
	readonly programs: string;
}

/** Runs a command: the words after its name; returns the exit status and never throws for what comes from outside. */
export type Run = (argv: readonly string[], io: Io) => Promise<number>;

/** What is told of a command. */
interface Description {
	readonly name: string;
	readonly about: string;
	readonly words: Positionals;
	/** What the next word may be after these words, none of which is an option. May throw. */
	readonly complete?: (words: readonly string[], qubesd: Qubesd) => Promise<readonly string[]>;
}

/** One command. */
export interface Command<O extends OptionTable> extends Description {
	readonly options: O;
	/** Options with which the words may be missing. */
	readonly wordless?: readonly (keyof O & string)[];
	/** Does it; returns the exit status. Throws UsageError, RemoteError, DaemonError and LocalError. */
	readonly act: (invocation: Invocation<O>) => Promise<number>;
}

/** One call of a command. */
export interface Invocation<O extends OptionTable> extends Setting {
	readonly options: Values<O>;
	readonly words: readonly string[];
}

/** What a call of a command has around it. */
export interface Setting {
	readonly qubesd: Qubesd;
	/** Where qubesd listens for `internal.*`. */
	readonly internalSocket: string;
	readonly io: Io;
	/** How far something long is, told on a terminal only. */
	readonly progress: Progress;
	/** Writes a line to standard output, as it is. */
	readonly print: (line: string) => void;
	/** Writes `PROG: error: MESSAGE` to standard error, where the command goes on nevertheless. */
	readonly complain: (message: string) => void;
	/** Writes `PROG: warning: MESSAGE` to standard error, unless `--quiet` is given. */
	readonly warn: (message: string) => void;
}

/** What runs a command. */
export function command<const O extends OptionTable>(declaration: Command<O>): Run {
	return async (argv, io) => {
		try {
			return await perform(declaration, argv, io);
		} catch (error) {
			return report(declaration, error, io);
		}
	};
}

async function perform<O extends OptionTable>(declaration: Command<O>, argv: readonly string[], io: Io): Promise<number> {
	const table = { ...declaration.options, ...COMMON_OPTIONS };
	if (argv[0] === COMPLETE_WORD) return propose(declaration, table, argv.slice(1), io);
	const parser = makeParser(declaration, table, expandArguments(argv, table));
	const { words, values } = parse(parser, table);
	if (values["help"] === true) return say(io, await help(declaration, parser));
	if (values["version"] === true) return say(io, `${declaration.name} ${version()}\n`);
	if (values["completion"] === true) return say(io, completionScript(declaration.name));
	if (!(declaration.wordless ?? []).some((name) => values[name] === true)) checkPositionals(words, declaration.words);
	const connection = await openConnection(io, values as Values<typeof COMMON_OPTIONS>);
	try {
		return await declaration.act({
			options: values as Values<O>,
			words,
			...setting(declaration, connection, io, values["quiet"] === true),
		});
	} finally {
		await connection.close();
	}
}

function setting(declaration: Description, { qubesd, internalSocket }: Connection, io: Io, isQuiet: boolean): Setting {
	return {
		qubesd,
		internalSocket,
		io,
		progress: new Progress(io.stderr, isQuiet),
		print: (line) => io.stdout.write(`${line}\n`),
		complain: (message) => complain(declaration, message, io),
		warn: (message) => {
			if (!isQuiet) io.stderr.write(`${declaration.name}: warning: ${escapeControls(message)}\n`);
		},
	};
}

/** yargs gets the parsing only: it prints nothing, ends nothing and takes no word for something else than a text. */
function makeParser(declaration: Description, table: OptionTable, argv: readonly string[]) {
	return yargs([...argv])
		.scriptName(declaration.name)
		.help(false)
		.version(false)
		.options(table)
		.parserConfiguration({
			"parse-numbers": false,
			"parse-positional-numbers": false,
			"boolean-negation": false,
			"camel-case-expansion": false,
			"dot-notation": false,
			"nargs-eats-options": false,
			"duplicate-arguments-array": true,
		})
		.strictOptions()
		.showHidden(false)
		.locale("en")
		.wrap(100)
		.exitProcess(false)
		.fail(false);
}

/** yargs would take the indentation of a table away. */
async function help(declaration: Description, parser: ReturnType<typeof makeParser>): Promise<string> {
	return `${usage(declaration)}\n\n${declaration.about}\n\n${await parser.getHelp()}\n`;
}

function parse(
	parser: ReturnType<typeof makeParser>,
	table: OptionTable,
): { words: string[]; values: { [name: string]: unknown } } {
	try {
		const { _: words, $0: _program, ...values } = parser.parseSync();
		// Of an option that has one value, the last one counts.
		for (const [name, { array }] of Object.entries(table)) {
			const value = values[name];
			if (Array.isArray(value) && array !== true) values[name] = value.at(-1);
		}
		return { words: words.map(String), values };
	} catch (error) {
		throw new UsageError(error instanceof Error ? error.message : String(error));
	}
}

async function propose(declaration: Description, table: OptionTable, line: readonly string[], io: Io): Promise<number> {
	const { qubesd } = await openConnection(io, {});
	const proposals = await complete(line, table, async (words) => (await declaration.complete?.(words, qubesd)) ?? []);
	return say(io, proposals.map((one) => `${one}\n`).join(""));
}

function say(io: Io, text: string): number {
	io.stdout.write(text);
	return 0;
}

/** Puts what was thrown into words; the exit status (spec 10.1). */
function report(declaration: Description, error: unknown, io: Io): number {
	if (error instanceof UsageError) {
		io.stderr.write(`${usage(declaration)}\n`);
		complain(declaration, error.message, io);
		return 2;
	}
	const isForeseen = error instanceof RemoteError || error instanceof DaemonError || error instanceof LocalError;
	complain(
		declaration,
		isForeseen ? error.message : `internal error: ${error instanceof Error ? error.stack : String(error)}`,
		io,
	);
	return 1;
}

function complain({ name }: Description, message: string, io: Io): void {
	io.stderr.write(`${name}: error: ${escapeControls(message)}\n`);
}

function usage({ name, words }: Description): string {
	return `usage: ${name} [OPTION...] ${describePositionals(words)}`.trimEnd();
}

/** The version that the build put in; from source there is none. */
function version(): string {
	return typeof QUBES_CORE_VERSION === "string" ? QUBES_CORE_VERSION : "(from source)";
}
