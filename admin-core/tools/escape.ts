/** Text with its control characters spelled out, so that no value can forge a line or drive the terminal. */
export function escapeControls(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
	return text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, (character) => {
		const short = SHORT[character];
		return short ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
	});
}

const SHORT: { readonly [character: string]: string } = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
