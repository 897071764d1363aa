import type { PluginModule } from "../../host/plugin.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { checkTag } from "../../model/tags.ts";

const CREATOR = "created-by-";
/** Tags, separated by white space. */
const FEATURE = "tag-created-vm-with";

/** A qube gets the tags that its creator is to give to all that it makes (spec 1.8). */
export const handlers: NonNullable<PluginModule["handlers"]> = { copyTags };

/** Throws a QubesInvalidTagError before any of them is added. A creator that is gone has nothing to give. */
function copyTags(qube: Qube, _event: string, { tag }: EventArgs): void {
	const creator = qube.app.find(String(tag).slice(CREATOR.length));
	const tags = creator?.features.get(FEATURE)?.match(/\S+/g) ?? [];
	for (const one of tags) checkTag(one);
	qube.tags.update(tags);
}
