// How devices are written: spec/admin-core.md 4.4.
import test from "ava";
import { formatArgument, formatItems, parseAddress, parseItems } from "../../../admin-core/tools/device-text.ts";
import { UsageError } from "../../../admin-core/tools/errors.ts";

for (const [text, items] of [
	["", {}],
	["a='b'", { a: "b" }],
	[" a='b' c='' \n", { a: "b", c: "" }],
	// Without a name between, as upstream writes a device of which nothing is known.
	["backend_domain='dom0'  interfaces='?******'", { backend_domain: "dom0", interfaces: "?******" }],
	["name='it is a \\'device\\'' serial='1'", { name: "it is a 'device'", serial: "1" }],
	["_x='a=b' _y='c='", { _x: "a=b", _y: "c=" }],
	["_x='c=' _y='d'", { _x: "c=", _y: "d" }],
	["_x='back\\' _y='d'", { _x: "back\\", _y: "d" }],
	["_x='a\\' b=\\'c' _y='d'", { _x: "a' b='c", _y: "d" }],
] as const) {
	test(`parseItems() takes ${JSON.stringify(text)} apart`, (t) => {
		t.deepEqual(Object.fromEntries(parseItems(text)), items);
	});
}

test("formatItems() writes what parseItems() reads", (t) => {
	const items = [
		["device_id", "0000:0000::?******"],
		["_read-only", "yes"],
		["_o!", "it's = `x`"],
		["_e", ""],
	] as const;
	t.is(formatItems(items), "device_id='0000:0000::?******' _read-only='yes' _o!='it\\'s = `x`' _e=''");
	t.deepEqual([...parseItems(formatItems(items))], items as never);
});

for (const item of [
	["", "x"],
	["a b", "x"],
	["a=b", "x"],
	["a'b", "x"],
	["a`b", "x"],
	["ä", "x"],
	["a", "x\ny"],
	["a", "ä"],
] as const) {
	test(`formatItems() refuses ${JSON.stringify(item)}`, (t) => {
		t.throws(() => formatItems([item]), { instanceOf: UsageError });
	});
}

for (const [word, address] of [
	["sys-usb:1-2", { backend: "sys-usb", port: "1-2", id: null }],
	["sys-usb:1-2:*", { backend: "sys-usb", port: "1-2", id: "*" }],
	["sys-usb:*:0000:0009::u030101", { backend: "sys-usb", port: "*", id: "0000:0009::u030101" }],
	["dom0:00_14.0", { backend: "dom0", port: "00_14.0", id: null }],
] as const) {
	test(`parseAddress() understands ${word}`, (t) => {
		t.deepEqual(parseAddress(word), address);
	});
}

for (const word of ["", "sys-usb", ":1-2", "sys-usb:", "sys-usb::id"]) {
	test(`parseAddress() refuses "${word}"`, (t) => {
		t.throws(() => parseAddress(word), { instanceOf: UsageError, message: /want BACKEND:PORT/ });
	});
}

for (const [address, argument] of [
	["backend:1234:0000:0001:ser:?012345", "backend+1234+0000+0001+ser+?012345"],
	["sys-usb:1-2:*", "sys-usb+1-2+_"],
	["backend:*:0000:0009::u030101", "backend+_+0000+0009++u030101"],
	["dom0:sda:0000:0000::?******", "dom0+sda+0000+0000++_______"],
] as const) {
	test(`formatArgument() writes ${address} as ${argument}`, (t) => {
		const { backend, port, id } = parseAddress(address);
		t.is(formatArgument({ backend, port, id: id as string }), argument);
	});
}
