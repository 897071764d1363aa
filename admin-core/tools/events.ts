/** Something that has happened to a qube (spec 7.5). */
export interface Event {
	readonly name: string;
	readonly args: ReadonlyMap<string, string>;
}

/**
 * Takes apart what came of a stream of events: those that are whole, and the rest, which the next bytes belong behind. What is no event is left out.
 *
 *     1 NUL SUBJECT NUL EVENT NUL (KEY NUL VALUE NUL)* NUL
 */
export function readEvents(text: string): { readonly events: readonly Event[]; readonly rest: string } {
	const fields = text.split("\0");
	const begun = fields.pop() ?? "";
	const events: Event[] = [];
	for (;;) {
		const end = endOfEvent(fields);
		if (end < 0) return { events, rest: [...fields, begun].join("\0") };
		const [type, , name = "", ...pairs] = fields.splice(0, end + 1);
		if (type === "1") events.push({ name, args: pairUp(pairs) });
	}
}

/** Where the empty key is that ends the first event, -1 if it has not come. */
function endOfEvent(fields: readonly string[]): number {
	for (let key = 3; key < fields.length; key += 2) if (fields[key] === "") return key;
	return -1;
}

function pairUp(fields: readonly string[]): Map<string, string> {
	const pairs = new Map<string, string>();
	for (let key = 0; key + 1 < fields.length; key += 2) pairs.set(fields[key] as string, fields[key + 1] as string);
	return pairs;
}
