import { type Answers, fail } from "./fake-qubesd.ts";

export const getAll = (name: string) => `${name}: admin.vm.property.GetAll`;
export const GET_ALL = ["dom0", "debian", "sys-firewall", "sys-net", "vault", "work"].map(getAll);

/** The properties of the qubes of `LIST`; dom0 has neither template nor netvm. */
export const PROPERTIES: Answers = {
	[getAll("dom0")]: "label default=False type=label black\nqid default=False type=int 0\n",
	[getAll("debian")]: describe("black", "", "", { kernel: "6.6", qid: "1" }),
	[getAll("sys-firewall")]: describe("green", "debian", "sys-net", { kernel: "6.12", qid: "3" }),
	[getAll("sys-net")]: describe("red", "debian", "", { kernel: "6.12", qid: "2" }),
	[getAll("vault")]: describe("black", "debian", "", { kernel: "", qid: "10" }),
	[getAll("work")]: describe("blue", "debian", "sys-firewall", { kernel: "6.6", qid: "9" }),
};

function describe(label: string, template: string, netvm: string, { kernel, qid }: { kernel: string; qid: string }): string {
	return `autostart default=True type=bool ${label === "red" ? "True" : "False"}
kernel default=True type=str ${kernel}
kernelopts default=True type=str nopat
label default=False type=label ${label}
${template === "" ? "" : `template default=False type=vm ${template}\n`}netvm default=True type=vm ${netvm}
qid default=False type=int ${qid}
stubdom_mem default=True type=int${" "}
`;
}

export const feature = (qube: string, name: string) => `${qube}: admin.vm.feature.Get+${name}`;
export const ABSENT = fail("QubesFeatureNotFoundError", "Feature not set");

/** A feature of all qubes: absent where nothing is said. */
export function features(name: string, values: { readonly [qube: string]: string }): Answers {
	const qubes = ["dom0", "debian", "sys-firewall", "sys-net", "vault", "work"];
	return Object.fromEntries(qubes.map((qube) => [feature(qube, name), values[qube] ?? ABSENT]));
}
