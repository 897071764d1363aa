import { isServiceText } from "./charset.ts";
import { FieldError } from "./field-error.ts";
import { splitPlainFields } from "./lines.ts";
import { type Item, parseColumnsLine } from "./parse-line.ts";

/**
 * Parses a plain text of the five-column format, or returns null where there is an error in it, which an exact reading then finds.
 * `wanted`: see `parsePolicy`, which has the same result for any text. This is what the time of a call is spent on.
 *
 * Two things make it quick. Lines are alike but for the service, so what follows the service is parsed once for each way it is
 * written. And all services of the text are checked in one go at the end.
 */
export function parseQuickly(text: string, wanted: string | null): Item[] | null {
	const items: Item[] = [];
	const services: string[] = [];
	const rules = new Map<string, Item & { kind: "rule" }>();
	const checkedPaths = new Set<string>();

	function parseRule(text: string, line: number): void {
		const end = text.indexOf(" ");
		const service = text.slice(0, end);
		// A line of one field is wrong, and the argument of any service is not any argument.
		if (end < 0 || service === "*") {
			parseRare(text, line);
			return;
		}
		services.push(service);
		const rest = text.slice(end).trimStart();
		const known = rules.get(rest);
		const alike = known ?? (parseColumnsLine(splitPlainFields(text), line) as Item & { kind: "rule" });
		if (known === undefined) rules.set(rest, alike);
		if (wanted !== null && service !== wanted) return;
		const argument = alike.of?.argument ?? null;
		const { source, target, action } = alike;
		items.push({ kind: "rule", line, of: { service, argument }, source, target, action });
	}

	function parseDirective(text: string, line: number): void {
		const fields = text.split(" ");
		const service = fields[1] as string;
		const path = fields[3] as string;
		// Almost all directives are of this form: `!include-service SERVICE * PATH`.
		if (
			fields.length !== 4 ||
			fields[2] !== "*" ||
			fields[0] !== "!include-service" ||
			service === "*" ||
			service === "" ||
			path === ""
		) {
			parseRare(text, line);
			return;
		}
		services.push(service);
		if (wanted !== null && service !== wanted) {
			if (checkedPaths.has(path)) return;
			checkedPaths.add(path);
		}
		items.push({ kind: "include", line, field: 3, path, of: { service, argument: null } });
	}

	function parseRare(text: string, line: number): void {
		const item = parseColumnsLine(splitPlainFields(text), line);
		if (item !== null) items.push(item);
	}

	try {
		const lines = (text.indexOf("\t") < 0 ? text : text.split("\t").join(" ")).split("\n");
		for (let i = 0; i < lines.length; i++) {
			let line = lines[i] as string;
			let sign = line.charCodeAt(0);
			if (sign === BLANK) {
				line = line.trimStart();
				sign = line.charCodeAt(0);
			}
			// Of an empty line it is NaN.
			if (sign === HASH) continue;
			if (sign === EXCLAMATION_MARK) parseDirective(line, i + 1);
			else if (sign > BLANK) parseRule(line, i + 1);
		}
	} catch (error) {
		if (!(error instanceof FieldError)) throw error;
		return null;
	}
	return isServiceText(services.join("")) ? items : null;
}

const BLANK = 0x20;
const EXCLAMATION_MARK = 0x21;
const HASH = 0x23;
