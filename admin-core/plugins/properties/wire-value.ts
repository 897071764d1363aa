import { AdminError } from "../../model/errors.ts";
import { checkForm, type Property, readBoolean, type Value } from "../../model/properties/property.ts";
import { checkQubeName, isUuid } from "../../model/qubes/name.ts";

/**
 * The value that a client gives to a property, as far as it can be told from the text alone (spec 3.6); whether the property takes it is
 * found out when it is set. Throws QubesValueError.
 */
export function parseWireValue({ type, form }: Property<unknown>, payload: Buffer): Value {
	const text = payload.toString("latin1");
	if (/[^\0-\x7f]/.test(text)) throw new AdminError("QubesValueError", "Non-ASCII bytes in property value");
	switch (type) {
		case "bool": {
			const value = readBoolean(text);
			if (value === null) throw new AdminError("QubesValueError", `Invalid literal for boolean property: '${text}'`);
			return value;
		}
		case "int":
			if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
			throw new AdminError("QubesValueError", "Failed to parse property value as int");
		case "vm":
			if (text === "") return null;
			if (!(text.startsWith("uuid:") && isUuid(text.slice("uuid:".length)))) checkQubeName(text);
			return text;
		default:
			// A carriage return would be another line to clients (spec 3.6).
			if (/[^ -~\t\n]/.test(text))
				throw new AdminError("QubesValueError", "property value: want printable characters, tabs and line feeds");
			return checkForm(form, text);
	}
}
