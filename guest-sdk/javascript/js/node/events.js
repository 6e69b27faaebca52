// The module `events`.

import { EventEmitter, once } from "runtime:emitter";

export { EventEmitter, once };
export default EventEmitter;
