/** One source, target or redirect of the policy language (spec 1.4). `text` is how it was written. */
export type Token =
	| { readonly kind: "any" | "anyvm" | "adminvm" | "default" | "dispvm"; readonly text: string }
	| { readonly kind: "name"; readonly text: string }
	| { readonly kind: "type" | "tag" | "dispvm-of" | "dispvm-tag"; readonly text: string; readonly value: string };

/** Where a token stands: a column, `target=`/`default_target=`, or what the caller asked for. */
export type TokenContext = "source" | "target" | "redirect" | "intended";

type WordKind = "any" | "anyvm" | "adminvm" | "default" | "dispvm";
type PrefixKind = "type" | "tag" | "dispvm-of" | "dispvm-tag";

const WORDS: readonly (readonly [word: string, kind: WordKind, contexts: readonly TokenContext[]])[] = [
	["*", "any", ["source", "target"]],
	["@anyvm", "anyvm", ["source", "target"]],
	["@adminvm", "adminvm", ["source", "target", "redirect", "intended"]],
	["@default", "default", ["target", "intended"]],
	["@dispvm", "dispvm", ["target", "redirect", "intended"]],
];

/** In the order in which they are tried: a rest that starts with `@` may still fit a longer prefix. */
const PREFIXES: readonly (readonly [prefix: string, kind: PrefixKind, contexts: readonly TokenContext[]])[] = [
	["@type:", "type", ["source", "target"]],
	["@tag:", "tag", ["source", "target"]],
	["@dispvm:", "dispvm-of", ["source", "target", "redirect", "intended"]],
	["@dispvm:@tag:", "dispvm-tag", ["source", "target"]],
];

const CONTEXT_NAMES: { readonly [context in TokenContext]: string } = {
	source: "source",
	target: "target",
	redirect: "redirect target",
	intended: "intended target",
};

/**
 * Parses a token (spec 1.4): a literal name is taken as it is, everything with `@` must be known in its context.
 * Returns the message of the error as a string where it is none.
 */
export function parseToken(text: string, context: TokenContext): Token | string {
	if (text === "") return `empty ${CONTEXT_NAMES[context]}`;
	if (text.charAt(0) !== "@" && text !== "*") return { kind: "name", text };
	for (const [word, kind, contexts] of WORDS) {
		if (text === word && contexts.includes(context)) return { kind, text };
	}
	for (const [prefix, kind, contexts] of PREFIXES) {
		if (!contexts.includes(context) || !text.startsWith(prefix)) continue;
		const value = text.slice(prefix.length);
		if (value === "") return `invalid empty ${CONTEXT_NAMES[context]} token "${text}": a name must follow`;
		if (value.charAt(0) !== "@") return { kind, text, value };
	}
	return `invalid ${CONTEXT_NAMES[context]} token "${text}": ${expected(context)}`;
}

function expected(context: TokenContext): string {
	const known: string[] = [];
	for (const [word, , contexts] of WORDS) if (contexts.includes(context)) known.push(word);
	for (const [prefix, , contexts] of PREFIXES) if (contexts.includes(context)) known.push(`${prefix}NAME`);
	return `want a qube's name or ${known.join(", ")}`;
}
