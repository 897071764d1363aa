/** A reply with a list: a line for each item that is to be seen (spec 8, intro). */
export function listReply(items: readonly string[], sees: (item: string) => boolean): string {
	return items
		.filter(sees)
		.map((item) => `${item}\n`)
		.join("");
}
