// Declares all properties and the handlers that belong to the classes; whoever makes an App imports this once.
import "./app-properties.ts";
import "./qubes/base-properties.ts";
import "./qubes/class-properties.ts";
import "./qubes/full-properties.ts";
import "./storage/template-change.ts";
