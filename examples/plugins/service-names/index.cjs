// A plugin as an example: it wants names of services in lower case, and lists the services that a qube has.
// Start with: qubesd --plugins examples/plugins …

const PREFIX = "service.";

/** An error that the client is told of: its kind is the name of its class in the Admin API. */
function refuse(message) {
	return Object.assign(new Error(message), { kind: "QubesValueError" });
}

exports.methods = {
	"example.ServiceNames": ({ destination, permit }) => {
		const sees = permit();
		const features = destination.features.entries().map(([name]) => name);
		const services = features.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
		return services
			.filter(sees)
			.map((name) => `${name}\n`)
			.join("");
	},
};

exports.handlers = {
	checkName(_qube, _event, { feature }) {
		const name = feature.slice(PREFIX.length);
		if (name !== name.toLowerCase()) throw refuse(`name of a service: want "${name.toLowerCase()}", not "${name}"`);
	},
};
