<?php
/*
 * Plugin Name: Darkroom trial: types of posts
 * Description: Those that the documents speak of, shown in REST.
 */
add_action(
	'init',
	function () {
		foreach ( array(
			'planessemanales' => 'Planes semanales',
			'productos'       => 'Productos',
		) as $type => $said ) {
			register_post_type(
				$type,
				array(
					'label'        => $said,
					'public'       => true,
					'show_in_rest' => true,
					'rest_base'    => $type,
					'supports'     => array( 'title', 'editor', 'thumbnail' ),
				)
			);
		}
	}
);
