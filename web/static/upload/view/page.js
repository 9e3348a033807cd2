/** The drop zone of the first page, and the uploads that did not finish. */

import { openZone } from "../input/drop_zone.js";
import { showUnfinished } from "../resume/unfinished.js";
import { ask, isUnderWay } from "./uploads.js";

openZone(ask);
showUnfinished(document.querySelector("[data-uploads]"), isUnderWay);
