// SPDX-License-Identifier: GPL-2.0
/*
 * A thermal zone whose temperature is whatever somebody writes, in thousandths of a degree, into
 * /sys/module/zone/parameters/temp; a sensor that cannot be read while it is NO_READING there.
 */
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/thermal.h>

#define NO_READING INT_MIN

static int temp = 45000;
module_param(temp, int, 0644);
MODULE_PARM_DESC(temp, "what the sensor reads, in thousandths of a degree Celsius");

static struct thermal_zone_device *zone;

static int read_temp(struct thermal_zone_device *device, int *result)
{
	int now = READ_ONCE(temp);

	if (now == NO_READING)
		return -EIO;
	*result = now;
	return 0;
}

static struct thermal_zone_device_ops operations = {
	.get_temp = read_temp,
};

static int __init begin(void)
{
	zone = thermal_zone_device_register("cpu-thermal", 0, 0, NULL, &operations, NULL, 0, 0);
	if (IS_ERR(zone))
		return PTR_ERR(zone);
	return thermal_zone_device_enable(zone);
}

static void __exit end(void)
{
	thermal_zone_device_unregister(zone);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("A thermal zone that obeys, for tests");
MODULE_LICENSE("GPL");
