// A plugin as an example: each NAME.img in the folder DISK_IMAGES is a block device of dom0. It remembers what is attached where; a plugin for a
// hypervisor would tell that instead. See docs/devices.md.
// Start with: DISK_IMAGES=DIR qubesd --plugins examples/plugins …

const fs = require("node:fs");
const path = require("node:path");

const SUFFIX = ".img";

/** By port: the qube that has the image, and the options it was attached with. */
const attached = new Map();

function describe(file) {
	const port = path.basename(file, SUFFIX);
	return {
		port,
		name: path.basename(file),
		interfaces: ["b******"],
		attachment: attached.get(port)?.qube ?? null,
		data: { size: String(fs.statSync(file).size) },
	};
}

function images() {
	const folder = process.env.DISK_IMAGES;
	if (folder === undefined) return [];
	const names = fs.readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
	return names.map((name) => describe(path.join(folder, name)));
}

exports.handlers = {
	list: () => images(),
	get: (_dom0, _event, { port_id }) => images().filter(({ port }) => port === port_id),
	listAttached(qube) {
		const mine = [...attached].filter(([, one]) => one.qube === qube);
		return mine.map(([port, { options }]) => [{ backend: qube.adminvm(), port }, options]);
	},
	attach(qube, _event, { device, options }) {
		if (device.port.backend.klass === "AdminVM") attached.set(device.port.portId, { qube, options });
	},
	detach(_qube, _event, { port }) {
		if (port.backend.klass === "AdminVM") attached.delete(port.portId);
	},
	forget(qube) {
		for (const [port, one] of [...attached]) if (one.qube === qube) attached.delete(port);
	},
};
