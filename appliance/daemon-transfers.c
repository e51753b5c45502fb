// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-private.h"

const ControlHandler daemon_transfer_handlers[] = {
	{ NULL, NULL },
};
