// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading. What user space can reach comes last and goes first. */

#include <linux/module.h>

#include "nl/nl.h"
#include "path/path.h"
#include "table/flow.h"
#include "vrouter.h"

struct workqueue_struct *vr_wq;

static int __init vr_init(void)
{
	int err;

	err = vr_flow_slab_init();
	if (err)
		return err;

	vr_wq = alloc_workqueue("vrouter", WQ_UNBOUND, 0);
	if (!vr_wq) {
		err = -ENOMEM;
		goto err_slab;
	}

	err = register_pernet_subsys(&vr_net_ops);
	if (err)
		goto err_wq;

	err = vr_vif_init();
	if (err)
		goto err_net;

	err = vr_host_dev_init();
	if (err)
		goto err_vif;

	err = vr_nl_init();
	if (err)
		goto err_host;
	return 0;

err_host:
	vr_host_dev_exit();
err_vif:
	vr_vif_exit();
err_net:
	unregister_pernet_subsys(&vr_net_ops);
err_wq:
	destroy_workqueue(vr_wq);
err_slab:
	vr_flow_slab_exit();
	return err;
}

/* The order of death: no request, then no device, then no state. What is left
 * are RCU callbacks: a flow's lets go of its next hop, whose own lets go of the
 * members, and theirs of the next hops behind them. Some callbacks queue work,
 * which needs no grace period any more.
 */
static void __exit vr_exit(void)
{
	int level;

	vr_nl_exit();
	vr_host_dev_exit();
	vr_vif_exit();
	unregister_pernet_subsys(&vr_net_ops);
	for (level = 0; level < 4; level++)
		rcu_barrier();
	destroy_workqueue(vr_wq);
	vr_flow_slab_exit();
}

module_init(vr_init);
module_exit(vr_exit);

MODULE_DESCRIPTION("Virtual router for pods and VMs: VRFs, services, security groups");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(VROUTER_FAMILY_NAME);
