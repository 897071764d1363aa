import type { PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import { checkCustom, checkLabelName, checkNewName, type NamedLabel, parseColor } from "../../model/labels.ts";
import { listReply } from "../../model/list-reply.ts";

/** The methods of labels (spec 8.4). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.label.List": ({ app, permit }) => {
		const sees = permit();
		return listReply(
			app.labels.list().map(({ name }) => name),
			sees,
		);
	},
	"admin.label.Get": ({ app, argument, permit }) => {
		checkLabelName(argument);
		permit();
		return app.labels.find(argument).color;
	},
	"admin.label.Index": ({ app, argument, permit }) => {
		checkLabelName(argument);
		permit();
		return String(app.labels.find(argument).index);
	},
	"admin.label.Create": ({ app, argument, payload, permit }) => {
		checkNewName(argument);
		const color = parseColor(payload.toString("utf8"));
		permit({ color });
		app.labels.create(argument, color);
		return "";
	},
	"admin.label.Remove": ({ app, argument, permit }) => {
		checkLabelName(argument);
		permit();
		const label: NamedLabel = app.labels.find(argument);
		checkCustom(label);
		const user = app.qubes().find((qube) => qube.get("label") === label);
		if (user !== undefined) throw new AdminError("QubesLabelInUseError", `label ${label.name} is used by ${user.name}`);
		app.labels.remove(label.name);
		return "";
	},
};
