// SPDX-License-Identifier: Apache-2.0
// virtualisation.c - is this a virtual machine, and whose? The CPU says so (a flag, and on x86 a
// signature in leaf 0x40000000), Xen says so, and the firmware names a product.
#include "machine/facts.h"
#include "machine/host_facts.h"
#include "machine/sysroot.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

typedef struct HypervisorMark {
    const char *mark;
    const char *name;
} HypervisorMark;

// Signatures as Linux's arch/x86/kernel/cpu/hypervisor.c and its drivers compare them.
static const HypervisorMark signatures[] = {
    {"KVMKVMKVM", "kvm"},      {"Microsoft Hv", "hyper-v"}, {"VMwareVMware", "vmware"},
    {"XenVMMXenVMM", "xen"},   {"TCGTCGTCGTCG", "qemu"},    {"ACRNACRNACRN", "acrn"},
    {"bhyve bhyve ", "bhyve"},
};

// Names in DMI's vendor or product, as virtual machines set them.
static const HypervisorMark products[] = {
    {"KVM", "kvm"},
    {"QEMU", "qemu"},
    {"VMware", "vmware"},
    {"VirtualBox", "virtualbox"},
    {"Xen", "xen"},
    {"Virtual Machine", "hyper-v"},
    {"Google Compute", "kvm"},
    {"Amazon EC2", "kvm"},
};

static const char *find_mark(const HypervisorMark *marks, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(text, marks[i].mark))
            return marks[i].name;
    return NULL;
}

// NULL where this CPU has no signature; the CPU cannot be asked for a captured tree.
static const char *ask_cpu(const char *root)
{
#if defined(__x86_64__)
    uint32_t words[4] = {0};
    char signature[13] = "";
    if (root[0] || !host_cpu_has_flag(root, "hypervisor"))
        return NULL;
    __cpuid(0x40000000, words[0], words[1], words[2], words[3]);
    memcpy(signature, &words[1], sizeof signature - 1);
    return find_mark(signatures, sizeof signatures / sizeof signatures[0], signature);
#else
    (void)root;
    return NULL;
#endif
}

// "Amazon EC2 m7i.large"; false with the reason.
static bool read_product(const char *root, char *text, size_t text_bytes)
{
    char vendor[128];
    char product[128];
    if (!sysroot_read(root, "/sys/class/dmi/id/sys_vendor", vendor, sizeof vendor) ||
        !sysroot_read(root, "/sys/class/dmi/id/product_name", product, sizeof product)) {
        (void)snprintf(text, text_bytes, "the firmware does not tell");
        return false;
    }
    (void)snprintf(text, text_bytes, "%s %s", vendor, product);
    return true;
}

// Name of the hypervisor, "" for one that is not known by name, NULL on a physical machine. Where a
// CPU has the flag it decides: rented bare metal carries the vendor's name in DMI too.
static const char *find_hypervisor(const char *root, const char *product, char *type,
                                   size_t type_bytes)
{
    const bool x86 = host_cpu_has_flag(root, "fpu");
    const bool flag = host_cpu_has_flag(root, "hypervisor");
    const bool xen = sysroot_read(root, "/sys/hypervisor/type", type, type_bytes) && type[0];
    const char *of_product = find_mark(products, sizeof products / sizeof products[0], product);
    if (!flag && !xen && (x86 || !of_product))
        return NULL;
    const char *of_cpu = ask_cpu(root);
    if (of_cpu)
        return of_cpu;
    if (xen)
        return type;
    return of_product ? of_product : "";
}

json_t *host_virtualisation(const char *root)
{
    char type[64];
    char product[264];
    const bool has_product = read_product(root, product, sizeof product);
    const char *name = find_hypervisor(root, has_product ? product : "", type, sizeof type);
    const bool told = name || has_product || host_cpu_has_flag(root, "fpu");
    json_t *facts = json_object();
    if (facts &&
        (told ? fact_set(facts, "virtual", json_boolean(name != NULL))
              : fact_unknown(facts, "virtual", "neither CPU nor firmware tells")) &&
        (name && name[0]
             ? fact_set_text(facts, "hypervisor", name)
             : fact_unknown(facts, "hypervisor", "%s",
                            name ? "it gives no signature that is known" : "none seen")) &&
        (has_product ? fact_set_text(facts, "product", product)
                     : fact_unknown(facts, "product", "%s", product)))
        return facts;
    json_decref(facts);
    return NULL;
}
