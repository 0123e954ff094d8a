/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the API server is and who we are: from a kubeconfig, or from what a pod finds in its
 * file system. TLS is always verified, and there is no option against it.
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include <stddef.h>

#include "err.h"

#define KUBE_SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

/* A certificate or key: the text of a PEM file, or the name of one. */
struct kube_pem {
	char	*data;
	char	*file;
};

struct kube_config {
	char		*server;	/* "https://host:port", without a slash at the end */
	char		*server_name;	/* that the certificate must have; NULL: the server's */
	char		*proxy;
	char		*ns;		/* of the context or the service account; "default" */
	struct kube_pem	ca;		/* neither: the system's */
	struct kube_pem	cert, key;
	char		*token;
	char		*token_file;	/* read again from time to time, and when it is refused */
};

/*
 * path: a kubeconfig; NULL: the one that $KUBECONFIG names, else a pod's service account, else
 * ~/.kube/config. server (may be NULL) takes the place of what that says. Negative errno.
 */
int kube_config_load(struct kube_config *c, const char *path, const char *server,
		     struct vr_err *err);
void kube_config_clear(struct kube_config *c);

#endif
