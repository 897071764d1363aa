import { dashed, isFlag, namesOf, type OptionTable } from "./options.ts";

/** The first word of a command line that asks what a line could go on with; the words of that line follow, the last one unfinished. */
export const COMPLETE_WORD = "--get-completions";

/** What a shell has to read so that it completes a command. */
export function completionScript(name: string): string {
	const shellFunction = `_${name.replace(/\W/g, "_")}_complete`;
	return `${shellFunction}() {
	local IFS=$'\\n'
	COMPREPLY=($(${name} ${COMPLETE_WORD} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F ${shellFunction} ${name}
`;
}

/**
 * What the last word could become: an option, or what `propose` knows for the words before it.
 * Where the daemon does not answer, nothing is proposed.
 */
export async function complete(
	line: readonly string[],
	table: OptionTable,
	propose: (words: readonly string[]) => Promise<readonly string[]>,
): Promise<string[]> {
	const words = joinColons(line);
	const current = words.at(-1) ?? "";
	const candidates = current.startsWith("-") ? optionNames(table) : await proposals(words.slice(0, -1), table, propose);
	// The shell keeps what stands before a colon, if that was a word to it.
	const kept = current === line.at(-1) ? 0 : current.lastIndexOf(":") + 1;
	return candidates.filter((one) => one.startsWith(current)).map((one) => one.slice(kept));
}

/** The words of a line as people see them: for bash a colon, as in `work:private`, is a word. */
function joinColons(line: readonly string[]): string[] {
	const words: string[] = [];
	let isOpen = false;
	for (const word of line) {
		const isColon = /^:+$/.test(word);
		if ((isColon || isOpen) && words.length > 0) words.push(`${words.pop()}${word}`);
		else words.push(word);
		isOpen = isColon;
	}
	return words;
}

function optionNames(table: OptionTable): string[] {
	return Object.entries(table)
		.filter(([, { hidden }]) => hidden !== true)
		.flatMap(([name, option]) => namesOf(name, option))
		.map(dashed);
}

async function proposals(
	before: readonly string[],
	table: OptionTable,
	propose: (words: readonly string[]) => Promise<readonly string[]>,
): Promise<readonly string[]> {
	try {
		return await propose(before.filter((word, index) => !word.startsWith("-") && !takesValue(before[index - 1], table)));
	} catch {
		return [];
	}
}

/** Whether a word is an option that the next word belongs to. */
function takesValue(word: string | undefined, table: OptionTable): boolean {
	if (word === undefined || !word.startsWith("-") || word.includes("=")) return false;
	const name = word.replace(/^--?/, "");
	return Object.entries(table).some(([long, option]) => !isFlag(option) && namesOf(long, option).includes(name));
}
