/**
 * What all commands share: how one is declared, and how `run` goes from a command line to an exit status (spec 10.1).
 *
 * `run` writes options out (expand-arguments.ts), has yargs parse them, checks the words (positionals.ts), then runs the action of the
 * command; what it throws becomes a message and a status. Nothing happens at import.
 */
import yargs from "yargs";
import { QUBESD_SOCKET, Qubesd } from "./client.ts";
import { COMPLETE_WORD, complete, completionScript } from "./completion.ts";
import { DaemonError, RemoteError, UsageError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import { expandArguments } from "./expand-arguments.ts";
import { COMMON_OPTIONS, type OptionTable, type Values } from "./options.ts";
import { checkPositionals, describePositionals, type Positionals } from "./positionals.ts";

declare const QUBES_CORE_VERSION: string;

/** The outside of a command, so that tests call it in process. */
export interface Io {
	readonly stdout: { write(text: string): unknown };
	readonly stderr: { write(text: string): unknown };
	readonly stdin: AsyncIterable<string | Uint8Array>;
	readonly env: { readonly [name: string]: string | undefined };
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
	/** Does it; returns the exit status. Throws UsageError, RemoteError and DaemonError. */
	readonly act: (invocation: Invocation<O>) => Promise<number>;
}

/** One call of a command. */
export interface Invocation<O extends OptionTable> {
	readonly options: Values<O>;
	readonly words: readonly string[];
	readonly qubesd: Qubesd;
	readonly io: Io;
	/** Writes a line to standard output, as it is. */
	readonly print: (line: string) => void;
	/** Writes `PROG: error: MESSAGE` to standard error, where the command goes on nevertheless. */
	readonly complain: (message: string) => void;
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
	if (values["help"] === true) return say(io, `${await parser.getHelp()}\n`);
	if (values["version"] === true) return say(io, `${declaration.name} ${version()}\n`);
	if (values["completion"] === true) return say(io, completionScript(declaration.name));
	if (!(declaration.wordless ?? []).some((name) => values[name] === true)) checkPositionals(words, declaration.words);
	return declaration.act({
		options: values as Values<O>,
		words,
		qubesd: connect(io, values["socket"]),
		io,
		print: (line) => io.stdout.write(`${line}\n`),
		complain: (message) => complain(declaration, message, io),
	});
}

/** yargs gets the parsing only: it prints nothing, ends nothing and takes no word for something else than a text. */
function makeParser(declaration: Description, table: OptionTable, argv: readonly string[]) {
	return yargs([...argv])
		.scriptName(declaration.name)
		.help(false)
		.version(false)
		.usage(`${usage(declaration)}\n\n${declaration.about}`)
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
	const qubesd = connect(io, undefined);
	const proposals = await complete(line, table, async (words) => (await declaration.complete?.(words, qubesd)) ?? []);
	return say(io, proposals.map((one) => `${one}\n`).join(""));
}

function connect(io: Io, socket: unknown): Qubesd {
	return new Qubesd(typeof socket === "string" ? socket : io.env["QUBESD_SOCKET"] || QUBESD_SOCKET);
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
	const isForeseen = error instanceof RemoteError || error instanceof DaemonError;
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
