// The common fields of each kind of document, as data: what they are called stands in `text.ts`.

import type { DocumentKind } from "../engine/types.ts";
import { configuration } from "./forms/configuration.ts";
import type { Form } from "./forms/fields.ts";
import { namedLocations } from "./forms/named-locations.ts";
import { policies } from "./forms/policies.ts";
import { scenario } from "./forms/scenario.ts";

export const FORMS: Record<DocumentKind, Form> = { policies, namedLocations, scenario, configuration };
