// SPDX-License-Identifier: MIT OR Apache-2.0
/** A worker of crowd.mjs. */
import { serve } from './anywhere.mjs';
import { read, write } from './crowd.mjs';

serve({ read, write });
