/** A pattern of event names, as handlers are registered under (spec 1.3). */
export interface EventPattern {
	readonly text: string;
	/** Whether it stands for one name only, which is its text. */
	readonly isExact: boolean;
	/** What each name starts with that it matches. */
	readonly prefix: string;
	matches(name: string): boolean;
}

/**
 * Compiles a shell-style pattern that is matched against whole event names (spec 1.3): `*`, `?` (one code point), `[a-z]`, `[!a-z]`;
 * everything else, also `/` and a backslash, stands for itself. Never throws: what is no pattern is literal.
 *
 * minimatch, which the tools use for names of qubes, has no options for this: to it a backslash, `^`, `.` and `/` are special, and an
 * empty name never matches `*`.
 */
export function compilePattern(text: string): EventPattern {
	const characters = [...text];
	let source = "";
	let prefix = "";
	let isExact = true;
	for (let at = 0; at < characters.length; ) {
		const { regex, end, literal } = readPart(characters, at);
		source += regex;
		isExact &&= literal !== null;
		if (isExact) prefix += literal;
		at = end;
	}
	if (isExact) return { text, isExact, prefix, matches: (name) => name === text };
	const regex = new RegExp(`^${source}$`, "su");
	return { text, isExact, prefix, matches: (name) => regex.test(name) };
}

/** One part of a pattern: as regular expression, and as itself if it stands for itself. `end` is where the next one starts. */
interface Part {
	readonly regex: string;
	readonly end: number;
	readonly literal: string | null;
}

function readPart(characters: readonly string[], at: number): Part {
	const character = characters[at] as string;
	if (character === "*") return { regex: ".*", end: at + 1, literal: null };
	if (character === "?") return { regex: ".", end: at + 1, literal: null };
	const close = character === "[" ? findClose(characters, at) : -1;
	if (close < 0) return { regex: escapeCharacter(character), end: at + 1, literal: character };
	return { regex: readSet(characters.slice(at + 1, close)), end: close + 1, literal: null };
}

/** The bracket that ends a set; one right after `[` or `[!` is a member. -1 if there is none. */
function findClose(characters: readonly string[], open: number): number {
	const first = characters[open + 1] === "!" ? open + 2 : open + 1;
	return characters.indexOf("]", first + 1);
}

/** `abc`, `a-z`, `!abc`; a reversed range has nothing in it. */
function readSet(characters: readonly string[]): string {
	const isNegated = characters[0] === "!";
	let members = "";
	for (let at = isNegated ? 1 : 0; at < characters.length; ) {
		const [first, hyphen, last] = characters.slice(at, at + 3) as [string, string?, string?];
		if (hyphen !== "-" || last === undefined) {
			members += escapeCharacter(first);
			at++;
			continue;
		}
		if ((first.codePointAt(0) as number) <= (last.codePointAt(0) as number)) {
			members += `${escapeCharacter(first)}-${escapeCharacter(last)}`;
		}
		at += 3;
	}
	if (members === "") return isNegated ? "." : "(?!)";
	return isNegated ? `[^${members}]` : `[${members}]`;
}

function escapeCharacter(character: string): string {
	return /[\^$\\.*+?()[\]{}|/-]/.test(character) ? `\\u{${(character.codePointAt(0) as number).toString(16)}}` : character;
}
