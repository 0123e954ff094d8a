// SPDX-License-Identifier: GPL-2.0-only
/* Names and explanations of drop reasons, from the list made of the netlink spec. */

#include "drop_gen.h"
#include "obs.h"

static const struct {
	const char	*name;
	const char	*help;
} reasons[] = {
#define X(NAME, _name, _help)				\
	[VROUTER_DROP_REASON_##NAME] = {		\
		.name = _name,				\
		.help = _help,				\
	},
	VR_DROP_REASONS(X)
#undef X
};

const char *vr_drop_name(enum vrouter_drop_reason why)
{
	BUILD_BUG_ON(ARRAY_SIZE(reasons) != __VROUTER_DROP_REASON_MAX);

	return why < ARRAY_SIZE(reasons) ? reasons[why].name : "unknown";
}

const char *vr_drop_help(enum vrouter_drop_reason why)
{
	return why < ARRAY_SIZE(reasons) ? reasons[why].help : "not a reason that is known";
}
