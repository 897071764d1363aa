/** One source, target or redirect of the policy language (spec 1.4). `text` is how it was written. */
export type Token =
	| { readonly kind: "any" | "anyvm" | "adminvm" | "default" | "dispvm"; readonly text: string }
	| { readonly kind: "name"; readonly text: string }
	| { readonly kind: "type" | "tag" | "dispvm-of" | "dispvm-tag"; readonly text: string; readonly value: string };

/** Where a token stands: a column, `target=`/`default_target=`, or what the caller asked for. */
export type TokenContext = "source" | "target" | "redirect" | "intended";

type WordKind = "any" | "anyvm" | "adminvm" | "default" | "dispvm";
type PrefixKind = "type" | "tag" | "dispvm-of" | "dispvm-tag";

/** Where each kind of token may stand; a literal name may everywhere. */
const CONTEXTS: { readonly [kind in WordKind | PrefixKind]: readonly TokenContext[] } = {
	any: ["source", "target"],
	anyvm: ["source", "target"],
	adminvm: ["source", "target", "redirect", "intended"],
	default: ["target", "intended"],
	dispvm: ["target", "redirect", "intended"],
	type: ["source", "target"],
	tag: ["source", "target"],
	"dispvm-of": ["source", "target", "redirect", "intended"],
	"dispvm-tag": ["source", "target"],
};

const WORDS: { readonly [word: string]: WordKind | undefined } = Object.assign(Object.create(null), {
	"*": "any",
	"@anyvm": "anyvm",
	"@adminvm": "adminvm",
	"@default": "default",
	"@dispvm": "dispvm",
});

/** In the order in which they are tried: a rest that starts with `@` may still fit a longer prefix. */
const PREFIXES: readonly (readonly [prefix: string, kind: PrefixKind])[] = [
	["@type:", "type"],
	["@tag:", "tag"],
	["@dispvm:", "dispvm-of"],
	["@dispvm:@tag:", "dispvm-tag"],
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
	const kind = WORDS[text];
	if (kind !== undefined && CONTEXTS[kind].includes(context)) return { kind, text };
	if (text.charAt(0) !== "@" && text !== "*") return { kind: "name", text };
	for (const [prefix, kind] of PREFIXES) {
		if (!CONTEXTS[kind].includes(context) || !text.startsWith(prefix)) continue;
		const value = text.slice(prefix.length);
		if (value === "") return `invalid empty ${CONTEXT_NAMES[context]} token "${text}": a name must follow`;
		if (value.charAt(0) !== "@") return { kind, text, value };
	}
	return `invalid ${CONTEXT_NAMES[context]} token "${text}": ${expected(context)}`;
}

function expected(context: TokenContext): string {
	const words = Object.keys(WORDS).filter((word) => CONTEXTS[WORDS[word] as WordKind].includes(context));
	const prefixes = PREFIXES.filter(([, kind]) => CONTEXTS[kind].includes(context)).map(([prefix]) => `${prefix}NAME`);
	return `want a qube's name or ${words.concat(prefixes).join(", ")}`;
}
