/** Commands that do several things, of which one of their words says which: `qvm-pool add NAME DRIVER`. */
import type { Qubesd } from "./client.ts";
import { UsageError } from "./errors.ts";
import { dashed } from "./options.ts";
import { checkPositionals, describePositionals, type Positionals } from "./positionals.ts";

/** One of these things; `C` is what it is given of the call. */
export interface Action<C> {
	/** What it is called; the help and the completion prefer the first one. */
	readonly names: readonly [string, ...string[]];
	/** The words after that. */
	readonly words: Positionals;
	/** The options of the command that mean something to it. */
	readonly options: readonly string[];
	readonly about: string;
	/** Does it; returns the exit status. Throws as `Command.act` does. */
	readonly act: (call: C, words: readonly string[]) => Promise<number>;
	/** What the next of its words may be. May throw. */
	readonly complete?: ((words: readonly string[], qubesd: Qubesd) => Promise<readonly string[]>) | undefined;
}

/** What stands in the help of the command: a line for each. */
export function describeActions<C>(actions: readonly Action<C>[]): string {
	const lines = actions.map(({ names, words, about }) => [`${names.join(", ")} ${describePositionals(words)}`.trimEnd(), about]);
	const width = Math.max(...lines.map(([left = ""]) => left.length));
	return `ACTION is one of:\n${lines.map(([left = "", about]) => `  ${left.padEnd(width)}  ${about}`).join("\n")}`;
}

/** What a call of a command has, as far as it matters here. */
interface Call {
	/** Values of options; undefined for those that were not given. */
	readonly options: { readonly [name: string]: unknown };
}

/**
 * Does what the first word says, with the rest of them; the first of the actions if there is no word. `options` are all that the command
 * has of its own. Throws UsageError, before anything is done, for an unknown action, and for words or options that do not go with it.
 */
export async function runAction<C extends Call>(
	actions: readonly Action<C>[],
	options: readonly string[],
	call: C,
	[name, ...words]: readonly string[],
): Promise<number> {
	const action = name === undefined ? actions[0] : find(actions, name);
	if (action === undefined) throw new UsageError(`invalid action "${name}": want ${mainNames(actions).join(", ")}`);
	checkPositionals(words, action.words);
	const extra = options.find((option) => call.options[option] !== undefined && !action.options.includes(option));
	if (extra !== undefined) throw new UsageError(`${dashed(extra)} does not go with ${action.names[0]}`);
	return action.act(call, words);
}

/** What the next word may be: an action, or what the action knows. May throw. */
export async function completeAction<C>(
	actions: readonly Action<C>[],
	[name, ...words]: readonly string[],
	qubesd: Qubesd,
): Promise<readonly string[]> {
	if (name === undefined) return mainNames(actions);
	return (await find(actions, name)?.complete?.(words, qubesd)) ?? [];
}

function find<C>(actions: readonly Action<C>[], name: string): Action<C> | undefined {
	return actions.find(({ names }) => names.includes(name));
}

function mainNames<C>(actions: readonly Action<C>[]): string[] {
	return actions.map(({ names }) => names[0]);
}
