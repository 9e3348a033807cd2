/** A page with tiles that open in the large view. */

import { viewTiles } from "./tile_source.js";

viewTiles();
