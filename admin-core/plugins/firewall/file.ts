import { isUtf8 } from "node:buffer";
import { SaxesParser } from "saxes";
import { AdminError } from "../../model/errors.ts";
import { makeRule, type Option, type Rule } from "./rules.ts";

/** What may stand in what; the outermost stands in nothing. */
const PARENTS: ReadonlyMap<string, string> = new Map([
	["firewall", ""],
	["rules", "firewall"],
	["rule", "rules"],
	["properties", "rule"],
	["property", "properties"],
]);
const VERSION = "2";

/**
 * Reads the text of a firewall.xml: `<firewall version="2"><rules>`, for each rule `<rule><properties>` with a `<property name="NAME">VALUE</property>` for
 * each option. What is not understood could be a limit that somebody relies on, so it is an error: throws a QubesException with line and column.
 */
export function readRulesFile(file: string, text: Buffer): Rule[] {
	try {
		if (!isUtf8(text)) throw new Error(`${file}: want UTF-8`);
		return new RulesReader(file).read(text.toString());
	} catch (error) {
		const message = (error as Error).message.replace(/\.$/, "");
		throw new AdminError("QubesException", `${message}: repair the file, or set the rules anew`);
	}
}

/** The text of a firewall.xml. */
export function renderRulesFile(rules: readonly Rule[]): string {
	return `<firewall version="${VERSION}">\n  <rules>\n${rules.map(renderRule).join("")}  </rules>\n</firewall>\n`;
}

class RulesReader {
	private readonly parser: SaxesParser;
	private readonly open: string[] = [""];
	private readonly rules: Rule[] = [];
	private options: Option[] = [];
	private name = "";
	private text = "";

	constructor(fileName: string) {
		this.parser = new SaxesParser({ fileName });
	}

	/** Throws an Error that says where. */
	read(text: string): Rule[] {
		const { parser } = this;
		parser.on("opentag", ({ name, attributes }) => this.openElement(name, new Map(Object.entries(attributes))));
		parser.on("closetag", ({ name }) => this.closeElement(name));
		parser.on("text", (part) => this.addText(part));
		parser.on("cdata", (part) => this.addText(part));
		parser.on("doctype", () => parser.fail("document type: want none"));
		parser.write(text).close();
		return this.rules;
	}

	private openElement(name: string, attributes: ReadonlyMap<string, string>): void {
		const parent = this.open.at(-1) as string;
		if (PARENTS.get(name) !== parent) this.parser.fail(`<${name}> where none is expected`);
		const version = attributes.get("version");
		if (name === "firewall" && version !== VERSION) this.parser.fail(`version "${version ?? ""}": want "${VERSION}"`);
		if (name === "rule") this.options = [];
		this.name = attributes.get("name") ?? "";
		this.text = "";
		this.open.push(name);
	}

	private closeElement(name: string): void {
		this.open.pop();
		if (name === "property") this.options.push([this.name, this.text]);
		if (name !== "rule") return;
		try {
			this.rules.push(makeRule(this.options));
		} catch (error) {
			this.parser.fail((error as Error).message);
		}
	}

	private addText(part: string): void {
		if (this.open.at(-1) === "property") this.text += part;
		else if (/[^ \t\r\n]/.test(part)) this.parser.fail("text where none is expected");
	}
}

/** Of whatever kind a destination is, in the file it is a `dsthost`. */
function renderRule(rule: Rule): string {
	const properties = [...rule].map(([name, value]) => {
		return `        <property name="${name.replace(/^dst[46]$/, "dsthost")}">${escapeText(value)}</property>\n`;
	});
	return `    <rule>\n      <properties>\n${properties.join("")}      </properties>\n    </rule>\n`;
}

function escapeText(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
